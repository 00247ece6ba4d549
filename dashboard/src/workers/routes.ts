import { createRoute } from '@tanstack/react-router'
import { lazyPage } from '../shell/lazy-page.ts'
import { ofAccountRoute } from '../shell/root-routes.tsx'

/** The tabs of a Worker, in their order. */
export const WORKER_TABS = ['overview', 'deployments', 'bindings', 'settings', 'logs', 'test'] as const
export type WorkerTab = (typeof WORKER_TABS)[number]

const workersRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/workers',
  component: lazyPage(async () => (await import('./workers-page.tsx')).WorkersPage),
})

const workerRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/workers/$script',
  validateSearch: ({ tab }: Record<string, unknown>): { readonly tab?: WorkerTab | undefined } => ({
    tab: WORKER_TABS.find((each) => each === tab),
  }),
  component: lazyPage(async () => (await import('./worker-page.tsx')).WorkerPage),
})

export const workersRoutes = [workersRoute, workerRoute] as const
