import { Sidebar } from '@cloudflare/kumo/components/sidebar'
import { Outlet, useRouterState } from '@tanstack/react-router'
import { Suspense, useEffect, useState } from 'react'
import { useSession } from '../api/session.ts'
import { PAGE_TITLE } from '../parts/page.tsx'
import { AccountMenu } from './account-menu.tsx'
import { CloseMenu } from './close-menu.tsx'
import { lazyPage } from './lazy-page.ts'
import { navigation } from './navigation.ts'
import { TopBar } from './top-bar.tsx'
import { UnreachableNote } from './unreachable-note.tsx'
import { useAccount } from './use-account.ts'
import { useArrival } from './use-arrival.ts'

const CommandMenu = lazyPage(async () => (await import('./command-menu.tsx')).CommandMenu)

/** The frame of every page: where one can go, whose account it is, and the page. */
export function SignedInLayout() {
  const session = useSession()
  const account = useAccount()
  const here = useRouterState({ select: ({ location }) => location.pathname })
  const [isCommandMenuOpen, setCommandMenuOpen] = useState(false)
  useCommandKey(setCommandMenuOpen)
  const groups = navigation(session, account.id)
  useArrival()
  // The side bar may be longer than the window: where one is, is seen in it.
  // oxlint-disable-next-line react/exhaustive-deps -- whenever the place changes
  useEffect(() => {
    document.querySelector('#places [data-active]')?.scrollIntoView({ block: 'nearest' })
  }, [here])
  return (
    <Sidebar.Provider defaultOpen mobileBreakpoint={768}>
      <CloseMenu here={here} />
      <a
        href="#page"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-lg focus:bg-kumo-base focus:px-4 focus:py-3 focus:ring-2 focus:ring-kumo-focus"
      >
        Skip to the page
      </a>
      <Sidebar aria-label="Posthorn">
        <Sidebar.Header>
          <AccountMenu account={account} />
        </Sidebar.Header>
        <Sidebar.Content id="places">
          <nav aria-label="Places" className="[&_[data-active]]:scroll-my-10">
            {groups.map(({ label, entries }) => (
              <Sidebar.Group key={label}>
                <Sidebar.GroupLabel>{label}</Sidebar.GroupLabel>
                <Sidebar.Menu>
                  {entries.map(({ label, href, icon }) => {
                    const isHere = here === href || here.startsWith(`${href}/`)
                    return (
                      <Sidebar.MenuItem key={href}>
                        <Sidebar.MenuButton icon={icon} href={href} active={isHere} tooltip={label}>
                          {label}
                        </Sidebar.MenuButton>
                      </Sidebar.MenuItem>
                    )
                  })}
                </Sidebar.Menu>
              </Sidebar.Group>
            ))}
          </nav>
        </Sidebar.Content>
        <Sidebar.Footer>
          <Sidebar.Trigger />
        </Sidebar.Footer>
      </Sidebar>
      <div className="flex min-w-0 flex-1 flex-col bg-kumo-canvas">
        <TopBar onSearch={() => setCommandMenuOpen(true)} />
        <main
          id="page"
          tabIndex={-1}
          aria-labelledby={PAGE_TITLE}
          className="mx-auto w-full max-w-7xl flex-1 p-4 outline-none md:p-8"
        >
          <UnreachableNote />
          <Outlet />
        </main>
      </div>
      {isCommandMenuOpen && (
        <Suspense>
          <CommandMenu groups={groups} open onOpenChange={setCommandMenuOpen} />
        </Suspense>
      )}
    </Sidebar.Provider>
  )
}

/** Opens the command menu, or closes it. */
function useCommandKey(toggle: (next: (isOpen: boolean) => boolean) => void): void {
  useEffect(() => {
    function listen(event: KeyboardEvent) {
      if (event.key.toLowerCase() !== 'k' || !(event.metaKey || event.ctrlKey)) return
      event.preventDefault()
      toggle((isOpen) => !isOpen)
    }
    document.addEventListener('keydown', listen)
    return () => document.removeEventListener('keydown', listen)
  }, [toggle])
}
