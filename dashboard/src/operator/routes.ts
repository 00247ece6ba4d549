import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { signedInRoute } from '../shell/root-routes.tsx'

const STATES = ['waiting', 'claimed', 'held'] as const

export interface QueueSearch {
  readonly domain?: string
  readonly state?: (typeof STATES)[number]
}

const queueRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: '/installation/queue',
  validateSearch: ({ domain, state }: Record<string, unknown>): QueueSearch => {
    const known = STATES.find((name) => name === state)
    return { ...(typeof domain === 'string' && domain !== '' && { domain }), ...(known && { state: known }) }
  },
  component: lazyRouteComponent(() => import('./queue-page.tsx'), 'QueuePage'),
})

const healthRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: '/installation/health',
  component: lazyRouteComponent(() => import('./health-page.tsx'), 'HealthPage'),
})

export const operatorRoutes = [queueRoute, healthRoute] as const
