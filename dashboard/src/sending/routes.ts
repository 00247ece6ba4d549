import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { ofAccountRoute } from '../shell/root-routes.tsx'

const sendingRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/sending',
  component: lazyRouteComponent(() => import('./sending-page.tsx'), 'Page'),
})

export const sendingRoutes = [sendingRoute] as const
