import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { ofAccountRoute } from '../shell/root-routes.tsx'

const activityRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/activity',
  component: lazyRouteComponent(() => import('./activity-page.tsx'), 'Page'),
})

export const activityRoutes = [activityRoute] as const
