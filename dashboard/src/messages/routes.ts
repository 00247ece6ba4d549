import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { ofAccountRoute } from '../shell/root-routes.tsx'

const messageRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/messages',
  component: lazyRouteComponent(() => import('./messages-page.tsx'), 'Page'),
})

export const messageRoutes = [messageRoute] as const
