import { createRoute } from '@tanstack/react-router'
import { searchCount, searchText } from '../parts/search-text.ts'
import { lazyPage } from '../shell/lazy-page.ts'
import { ofAccountRoute } from '../shell/root-routes.tsx'

const tokensRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/account/tokens',
  validateSearch: ({ name, page }: Record<string, unknown>): TokensSearch => ({
    name: searchText(name),
    page: searchCount(page),
  }),
  component: lazyPage(async () => (await import('./tokens-page.tsx')).TokensPage),
})

/** The part of the name that is looked for, and the page of what has it. */
export interface TokensSearch {
  readonly name?: string | undefined
  readonly page?: number | undefined
}

const membersRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/account/members',
  component: lazyPage(async () => (await import('./members-page.tsx')).MembersPage),
})

const webhooksRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/account/webhooks',
  component: lazyPage(async () => (await import('./webhooks-page.tsx')).WebhooksPage),
})

const webhookRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/account/webhooks/$webhookId',
  validateSearch: ({ status }: Record<string, unknown>): { readonly status?: string | undefined } => ({
    status: searchText(status),
  }),
  component: lazyPage(async () => (await import('./webhook-page.tsx')).WebhookPage),
})

const subscriptionsRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/account/subscriptions',
  component: lazyPage(async () => (await import('./subscriptions-page.tsx')).SubscriptionsPage),
})

const auditLogRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/account/audit-log',
  validateSearch: ({ action, email, since, before }: Record<string, unknown>): AuditLogSearch => ({
    action: searchText(action),
    email: searchText(email),
    since: searchText(since),
    before: searchText(before),
  }),
  component: lazyPage(async () => (await import('./audit-log-page.tsx')).AuditLogPage),
})

/** What the log is narrowed to; `since` and `before` are days. */
export interface AuditLogSearch {
  readonly action?: string | undefined
  readonly email?: string | undefined
  readonly since?: string | undefined
  readonly before?: string | undefined
}

const usageRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/account/usage',
  component: lazyPage(async () => (await import('./usage-page.tsx')).UsagePage),
})

export const accountRoutes = [
  tokensRoute,
  membersRoute,
  webhooksRoute,
  webhookRoute,
  subscriptionsRoute,
  auditLogRoute,
  usageRoute,
] as const
