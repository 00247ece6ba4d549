import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { ofAccountRoute } from '../shell/root-routes.tsx'

export const overviewRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/overview',
  component: lazyRouteComponent(() => import('./overview-page.tsx'), 'OverviewPage'),
})

export const overviewRoutes = [overviewRoute] as const
