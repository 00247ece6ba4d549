import { createRoute } from '@tanstack/react-router'
import { searchText } from '../parts/search-text.ts'
import { lazyPage } from '../shell/lazy-page.ts'
import { signedInRoute } from '../shell/root-routes.tsx'

const STATES = ['waiting', 'claimed', 'held'] as const

export interface QueueSearch {
  readonly domain?: string | undefined
  readonly state?: (typeof STATES)[number] | undefined
}

const queueRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: '/installation/queue',
  validateSearch: ({ domain, state }: Record<string, unknown>): QueueSearch => ({
    domain: searchText(domain),
    state: STATES.find((name) => name === state),
  }),
  component: lazyPage(async () => (await import('./queue-page.tsx')).QueuePage),
})

const healthRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: '/installation/health',
  component: lazyPage(async () => (await import('./health-page.tsx')).HealthPage),
})

export const operatorRoutes = [queueRoute, healthRoute] as const
