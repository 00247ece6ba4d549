import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { signedInRoute } from '../shell/root-routes.tsx'

const operatorRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: '/operator',
  component: lazyRouteComponent(() => import('./operator-page.tsx'), 'Page'),
})

export const operatorRoutes = [operatorRoute] as const
