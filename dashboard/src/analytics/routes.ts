import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { ofAccountRoute } from '../shell/root-routes.tsx'

const analyticsRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/analytics',
  component: lazyRouteComponent(() => import('./analytics-page.tsx'), 'Page'),
})

export const analyticsRoutes = [analyticsRoute] as const
