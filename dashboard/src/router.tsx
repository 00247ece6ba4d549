import type { QueryClient } from '@tanstack/react-query'
import { createRouter } from '@tanstack/react-router'
import { accountRoutes } from './account/routes.ts'
import { activityRoutes } from './activity/routes.ts'
import { analyticsRoutes } from './analytics/routes.ts'
import { inboxRoutes } from './inbox/routes.ts'
import { messageRoutes } from './messages/routes.ts'
import { operatorRoutes } from './operator/routes.ts'
import { overviewRoutes } from './overview/routes.ts'
import { routingRoutes } from './routing/routes.ts'
import { sendingRoutes } from './sending/routes.ts'
import { indexRoute, profileRoute, sessionRoutes } from './session/routes.ts'
import { NotFoundPage, ProblemPage } from './shell/problem-page.tsx'
import { ofAccountRoute, rootRoute, signedInRoute } from './shell/root-routes.tsx'
import { workersRoutes } from './workers/routes.ts'

const routeTree = rootRoute.addChildren([
  indexRoute,
  ...sessionRoutes,
  signedInRoute.addChildren([
    ...inboxRoutes,
    ...operatorRoutes,
    profileRoute,
    ofAccountRoute.addChildren([
      ...overviewRoutes,
      ...sendingRoutes,
      ...routingRoutes,
      ...workersRoutes,
      ...analyticsRoutes,
      ...activityRoutes,
      ...messageRoutes,
      ...accountRoutes,
    ]),
  ]),
])

export function createAppRouter(client: QueryClient) {
  return createRouter({
    routeTree,
    context: { client },
    defaultPreload: 'intent',
    scrollRestoration: true,
    // What no page declares is in no page's search.
    search: { strict: true },
    defaultErrorComponent: ProblemPage,
    defaultNotFoundComponent: NotFoundPage,
  })
}

/** Begins to fetch the code of the page that the window's address names. One that cannot be fetched says so when it is
 *  shown. */
export function preloadPage(router: ReturnType<typeof createAppRouter>): void {
  const [matchedRoutes] = router.getMatchedRoutes(router.latestLocation.pathname)
  for (const { options } of matchedRoutes) void options.component?.preload?.()?.catch(() => undefined)
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>
  }
}
