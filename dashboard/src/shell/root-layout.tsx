import { LinkProvider } from '@cloudflare/kumo'
import { Toasty } from '@cloudflare/kumo/components/toast'
import { TooltipProvider } from '@cloudflare/kumo/components/tooltip'
import { CSPProvider } from '@cloudflare/kumo/primitives/csp-provider'
import { Outlet, useRouterState } from '@tanstack/react-router'
import { AppLink } from './app-link.tsx'

export function RootLayout() {
  return (
    // The page's policy lets no style element in: what the library would write stands in app.css.
    <CSPProvider disableStyleElements>
      <LinkProvider component={AppLink}>
        <TooltipProvider>
          <Toasty>
            <ComingBar />
            <Outlet />
          </Toasty>
        </TooltipProvider>
      </LinkProvider>
    </CSPProvider>
  )
}

/** That what was clicked is on its way, where that takes longer than one waits without wondering. */
function ComingBar() {
  const isLoading = useRouterState({ select: ({ isLoading }) => isLoading })
  if (!isLoading) return null
  return (
    <div
      role="progressbar"
      aria-label="The page is on its way"
      className="fixed inset-x-0 top-0 z-50 h-1 transition-opacity delay-200 duration-200 starting:opacity-0"
    >
      <div className="h-full animate-pulse bg-kumo-brand" />
    </div>
  )
}
