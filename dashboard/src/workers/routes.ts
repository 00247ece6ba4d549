import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { ofAccountRoute } from '../shell/root-routes.tsx'

const workersRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/workers',
  component: lazyRouteComponent(() => import('./workers-page.tsx'), 'Page'),
})

export const workersRoutes = [workersRoute] as const
