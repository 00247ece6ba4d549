import { createRoute } from '@tanstack/react-router'
import { lazyPage } from '../shell/lazy-page.ts'
import { ofAccountRoute } from '../shell/root-routes.tsx'

export const overviewRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/overview',
  component: lazyPage(async () => (await import('./overview-page.tsx')).OverviewPage),
})

export const overviewRoutes = [overviewRoute] as const
