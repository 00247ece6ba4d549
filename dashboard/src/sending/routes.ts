import { createRoute, redirect } from '@tanstack/react-router'
import { searchCount, searchText } from '../parts/search-text.ts'
import { lazyPage } from '../shell/lazy-page.ts'
import { ofAccountRoute } from '../shell/root-routes.tsx'
import { type DomainTab, isDomainTab } from './domain-tabs.ts'
import { type DomainsShown, isDomainsShown } from './domains-shown.ts'
import { isReason, type SuppressionReason } from './suppression-reasons.ts'

/** As the address has it. Each validator returns every key: what it leaves out, the router hands on as it was written. */
type Search = Record<string, unknown>

const sendingRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/sending',
  beforeLoad({ params }) {
    throw redirect({ to: '/$accountId/sending/domains', params })
  },
})

export interface DomainsSearch {
  readonly name?: string | undefined
  readonly show?: DomainsShown | undefined
  readonly page?: number | undefined
}

export const domainsRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/sending/domains',
  validateSearch: ({ name, show, page }: Search): DomainsSearch => ({
    name: searchText(name),
    show: isDomainsShown(show) ? show : undefined,
    page: searchCount(page),
  }),
  component: lazyPage(async () => (await import('./domains-page.tsx')).DomainsPage),
})

export const onboardRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/sending/domains/onboard',
  validateSearch: ({ domain }: Search): { readonly domain?: string | undefined } => ({
    domain: searchText(domain),
  }),
  component: lazyPage(async () => (await import('./onboard-page.tsx')).OnboardPage),
})

export const domainRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/sending/domains/$zoneId/$domainId',
  validateSearch: ({ tab }: Search): { readonly tab?: DomainTab | undefined } => ({
    tab: isDomainTab(tab) ? tab : undefined,
  }),
  component: lazyPage(async () => (await import('./domain-page.tsx')).DomainPage),
})

export interface SuppressionsSearch {
  readonly search?: string | undefined
  readonly reason?: SuppressionReason | undefined
  /** `account`, or the name of a sending domain. */
  readonly scope?: string | undefined
}

export const suppressionsRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/sending/suppressions',
  validateSearch: ({ search, reason, scope }: Search): SuppressionsSearch => ({
    search: searchText(search),
    reason: isReason(reason) ? reason : undefined,
    scope: searchText(scope),
  }),
  component: lazyPage(async () => (await import('./suppressions-page.tsx')).SuppressionsPage),
})

export interface TestSearch {
  readonly domain?: string | undefined
  readonly to?: string | undefined
  readonly code?: string | undefined
}

export const testRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/sending/test',
  validateSearch: ({ domain, to, code }: Search): TestSearch => ({
    domain: searchText(domain),
    to: searchText(to),
    code: searchText(code),
  }),
  component: lazyPage(async () => (await import('./test-page.tsx')).TestPage),
})

export const sendingRoutes = [
  ...([sendingRoute, domainsRoute, onboardRoute, domainRoute] as const),
  ...([suppressionsRoute, testRoute] as const),
] as const
