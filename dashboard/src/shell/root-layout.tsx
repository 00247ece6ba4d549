import { LinkProvider } from '@cloudflare/kumo'
import { Toasty } from '@cloudflare/kumo/components/toast'
import { TooltipProvider } from '@cloudflare/kumo/components/tooltip'
import { CSPProvider } from '@cloudflare/kumo/primitives/csp-provider'
import { Outlet } from '@tanstack/react-router'
import { AppLink } from './app-link.tsx'

export function RootLayout() {
  return (
    // The page's policy lets no style element in: what the library would write stands in app.css.
    <CSPProvider disableStyleElements>
      <LinkProvider component={AppLink}>
        <TooltipProvider>
          <Toasty>
            <Outlet />
          </Toasty>
        </TooltipProvider>
      </LinkProvider>
    </CSPProvider>
  )
}
