import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { ofAccountRoute } from '../shell/root-routes.tsx'

const routingRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/routing',
  component: lazyRouteComponent(() => import('./routing-page.tsx'), 'Page'),
})

export const routingRoutes = [routingRoute] as const
