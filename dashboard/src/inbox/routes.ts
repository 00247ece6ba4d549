import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { signedInRoute } from '../shell/root-routes.tsx'

const inboxRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: '/inbox',
  component: lazyRouteComponent(() => import('./inbox-page.tsx'), 'Page'),
})

export const inboxRoutes = [inboxRoute] as const
