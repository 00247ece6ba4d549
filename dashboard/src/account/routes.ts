import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { ofAccountRoute } from '../shell/root-routes.tsx'

const accountRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/account',
  component: lazyRouteComponent(() => import('./account-page.tsx'), 'Page'),
})

export const accountRoutes = [accountRoute] as const
