import { createRoute } from '@tanstack/react-router'
import { searchCount, searchText } from '../parts/search-text.ts'
import { lazyPage } from '../shell/lazy-page.ts'
import { ofAccountRoute } from '../shell/root-routes.tsx'

/** The tabs of a domain, in their order. */
export const DOMAIN_TABS = ['rules', 'catch-all', 'settings'] as const
export type DomainTab = (typeof DOMAIN_TABS)[number]

export interface DomainSearch {
  readonly tab?: DomainTab | undefined
  /** Of the zone's domains the one that is looked at; all, or its own name, unless given. */
  readonly domain?: string | undefined
}

export interface DomainsSearch {
  /** A part of the name. */
  readonly name?: string | undefined
  readonly page?: number | undefined
}

const domainsRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/routing/domains',
  validateSearch: ({ name, page }: Record<string, unknown>): DomainsSearch => ({
    name: searchText(name),
    page: searchCount(page),
  }),
  component: lazyPage(async () => (await import('./domains-page.tsx')).DomainsPage),
})

const onboardRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/routing/domains/onboard',
  validateSearch: ({ zone }: Record<string, unknown>): { readonly zone?: string | undefined } => ({
    zone: searchText(zone),
  }),
  component: lazyPage(async () => (await import('./onboard-page.tsx')).OnboardPage),
})

const domainRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/routing/domains/$zoneId',
  validateSearch: ({ tab, domain }: Record<string, unknown>): DomainSearch => ({
    tab: DOMAIN_TABS.find((each) => each === tab),
    domain: searchText(domain),
  }),
  component: lazyPage(async () => (await import('./domain-page.tsx')).DomainPage),
})

const addressesRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/routing/addresses',
  component: lazyPage(async () => (await import('./addresses-page.tsx')).AddressesPage),
})

export const routingRoutes = [domainsRoute, onboardRoute, domainRoute, addressesRoute] as const
