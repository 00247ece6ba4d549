import { createRoute } from '@tanstack/react-router'
import { readTimeRange } from '../parts/time-range.ts'
import { lazyPage } from '../shell/lazy-page.ts'
import { ofAccountRoute } from '../shell/root-routes.tsx'

export interface AnalyticsSearch {
  /** Absent: all of the account. */
  readonly zone?: string
  readonly range?: string
}

export const DEFAULT_RANGE = '24h'

function validateSearch({ zone, range }: Record<string, unknown>): AnalyticsSearch {
  const read = readTimeRange(range, DEFAULT_RANGE)
  return {
    ...(typeof zone === 'string' && /^[0-9a-f]{32}$/.test(zone) && { zone }),
    ...(read !== DEFAULT_RANGE && { range: read }),
  }
}

export const sendingAnalyticsRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/sending/analytics',
  validateSearch,
  component: lazyPage(async () => (await import('./analytics-page.tsx')).SendingAnalyticsPage),
})

export const routingAnalyticsRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/routing/analytics',
  validateSearch,
  component: lazyPage(async () => (await import('./analytics-page.tsx')).RoutingAnalyticsPage),
})

export const analyticsRoutes = [sendingAnalyticsRoute, routingAnalyticsRoute] as const
