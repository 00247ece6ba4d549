import { Button } from '@cloudflare/kumo/components/button'
import { DropdownMenu } from '@cloudflare/kumo/components/dropdown'
import { Sidebar } from '@cloudflare/kumo/components/sidebar'
import { MagnifyingGlassIcon, MoonIcon, SignOutIcon, SunIcon, UserIcon } from '@phosphor-icons/react'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { ask } from '../api/ask.ts'
import { useSession } from '../api/session.ts'
import { useColorMode } from './color-mode.ts'

const SHORTCUT = /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘ K' : 'Ctrl K'

export function TopBar({ onSearch }: { readonly onSearch: () => void }) {
  const { user } = useSession()
  const navigate = useNavigate()
  const client = useQueryClient()
  const [mode, chooseMode] = useColorMode()
  async function signOut() {
    await ask('/session/v1/sign-out', { method: 'POST', body: {} })
    client.clear()
    await navigate({ to: '/sign-in' })
  }
  return (
    <header className="flex flex-wrap items-center gap-2 border-b border-kumo-hairline bg-kumo-base px-4 py-2">
      <div className="md:hidden">
        <Sidebar.Trigger aria-label="Menu" />
      </div>
      <Button variant="secondary" icon={<MagnifyingGlassIcon />} onClick={onSearch} className="mr-auto">
        Go to…
        <kbd className="ml-2 hidden text-xs text-kumo-subtle sm:inline">{SHORTCUT}</kbd>
      </Button>
      <Button
        variant="ghost"
        shape="square"
        aria-label={mode === 'dark' ? 'Use light colours' : 'Use dark colours'}
        icon={mode === 'dark' ? <SunIcon /> : <MoonIcon />}
        onClick={() => chooseMode(mode === 'dark' ? 'light' : 'dark')}
      />
      <DropdownMenu>
        <DropdownMenu.Trigger
          render={<Button variant="ghost" shape="square" icon={<UserIcon />} aria-label="You" />}
        />
        <DropdownMenu.Content>
          <DropdownMenu.Group>
            <DropdownMenu.Label>{user?.email}</DropdownMenu.Label>
          </DropdownMenu.Group>
          <DropdownMenu.Separator />
          <DropdownMenu.Item icon={UserIcon} onClick={() => void navigate({ to: '/profile' })}>
            Password and sessions
          </DropdownMenu.Item>
          <DropdownMenu.Item icon={SignOutIcon} onClick={() => void signOut()}>
            Sign out
          </DropdownMenu.Item>
        </DropdownMenu.Content>
      </DropdownMenu>
    </header>
  )
}
