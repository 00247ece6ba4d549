import { LinkProvider } from '@cloudflare/kumo'
import { Toasty } from '@cloudflare/kumo/components/toast'
import { TooltipProvider } from '@cloudflare/kumo/components/tooltip'
import { Outlet } from '@tanstack/react-router'
import { AppLink } from './app-link.tsx'

export function RootLayout() {
  return (
    <LinkProvider component={AppLink}>
      <TooltipProvider>
        <Toasty>
          <Outlet />
        </Toasty>
      </TooltipProvider>
    </LinkProvider>
  )
}
