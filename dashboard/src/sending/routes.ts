import { createRoute, lazyRouteComponent, redirect } from '@tanstack/react-router'
import { ofAccountRoute } from '../shell/root-routes.tsx'
import { type DomainTab, isDomainTab } from './domain-tabs.ts'
import { numberIn, textIn } from './search-text.ts'
import { isReason, type SuppressionReason } from './suppression-reasons.ts'

type Search = Record<string, unknown>

const sendingRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/sending',
  beforeLoad({ params }) {
    throw redirect({ to: '/$accountId/sending/domains', params })
  },
})

export interface DomainsSearch {
  readonly name?: string
  readonly page?: number
}

export const domainsRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/sending/domains',
  validateSearch: ({ name, page }: Search): DomainsSearch => ({
    ...textIn('name', name),
    ...numberIn('page', page),
  }),
  component: lazyRouteComponent(() => import('./domains-page.tsx'), 'DomainsPage'),
})

export const onboardRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/sending/domains/onboard',
  validateSearch: ({ domain }: Search): { readonly domain?: string } => textIn('domain', domain),
  component: lazyRouteComponent(() => import('./onboard-page.tsx'), 'OnboardPage'),
})

export const domainRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/sending/domains/$zoneId/$domainId',
  validateSearch: ({ tab }: Search): { readonly tab?: DomainTab } => (isDomainTab(tab) ? { tab } : {}),
  component: lazyRouteComponent(() => import('./domain-page.tsx'), 'DomainPage'),
})

export interface SuppressionsSearch {
  readonly search?: string
  readonly reason?: SuppressionReason
  /** `account`, or the name of a sending domain. */
  readonly scope?: string
}

export const suppressionsRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/sending/suppressions',
  validateSearch: ({ search, reason, scope }: Search): SuppressionsSearch => ({
    ...textIn('search', search),
    ...(isReason(reason) && { reason }),
    ...textIn('scope', scope),
  }),
  component: lazyRouteComponent(() => import('./suppressions-page.tsx'), 'SuppressionsPage'),
})

export interface TestSearch {
  readonly domain?: string
  readonly to?: string
  readonly code?: string
}

export const testRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/sending/test',
  validateSearch: ({ domain, to, code }: Search): TestSearch => ({
    ...textIn('domain', domain),
    ...textIn('to', to),
    ...textIn('code', code),
  }),
  component: lazyRouteComponent(() => import('./test-page.tsx'), 'TestPage'),
})

export const sendingRoutes = [
  ...([sendingRoute, domainsRoute, onboardRoute, domainRoute] as const),
  ...([suppressionsRoute, testRoute] as const),
] as const
