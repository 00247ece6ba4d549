import { createRoute } from '@tanstack/react-router'
import { readTimeRange } from '../parts/time-range.ts'
import { lazyPage } from '../shell/lazy-page.ts'
import { ofAccountRoute } from '../shell/root-routes.tsx'
import { DEFAULT_RANGE, FILTER_NAMES, type FilterName } from './filters.ts'

/** The filters of the log, as the API names them; what is absent is not asked for. */
export type ActivitySearch = { readonly [name in FilterName]?: string } & {
  readonly range?: string
  readonly zone?: string
  /** Only the last event of each recipient. */
  readonly latest?: true
  /** New rows appear by themselves. */
  readonly live?: true
  /** The line that is shown whole, where it has no message of its own. */
  readonly open?: string
}

function validateSearch(given: Record<string, unknown>): ActivitySearch {
  const range = readTimeRange(given['range'], DEFAULT_RANGE)
  const texts = [...FILTER_NAMES, 'zone', 'open'] as const
  return {
    ...Object.fromEntries(
      texts.flatMap((name) => {
        const text = textOf(given[name])
        return text === '' ? [] : [[name, text]]
      }),
    ),
    ...(range !== DEFAULT_RANGE && { range }),
    ...(given['latest'] === true && { latest: true }),
    ...(given['live'] === true && { live: true }),
  }
}

/** What looks like a number in a link has become one. */
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : ''
}

export const sendingActivityRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/sending/activity',
  validateSearch,
  component: lazyPage(async () => (await import('./activity-page.tsx')).SendingActivityPage),
})

export const routingActivityRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/routing/activity',
  validateSearch,
  component: lazyPage(async () => (await import('./activity-page.tsx')).RoutingActivityPage),
})

export const activityRoutes = [sendingActivityRoute, routingActivityRoute] as const
