import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
import { searchText } from '../parts/search-text.ts'
import { ofAccountRoute } from '../shell/root-routes.tsx'

const tokensRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/account/tokens',
  component: lazyRouteComponent(() => import('./tokens-page.tsx'), 'TokensPage'),
})

const membersRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/account/members',
  component: lazyRouteComponent(() => import('./members-page.tsx'), 'MembersPage'),
})

const webhooksRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/account/webhooks',
  component: lazyRouteComponent(() => import('./webhooks-page.tsx'), 'WebhooksPage'),
})

const webhookRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/account/webhooks/$webhookId',
  validateSearch: ({ status }: Record<string, unknown>): { readonly status?: string | undefined } => ({
    status: searchText(status),
  }),
  component: lazyRouteComponent(() => import('./webhook-page.tsx'), 'WebhookPage'),
})

const subscriptionsRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/account/subscriptions',
  component: lazyRouteComponent(() => import('./subscriptions-page.tsx'), 'SubscriptionsPage'),
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
  component: lazyRouteComponent(() => import('./audit-log-page.tsx'), 'AuditLogPage'),
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
  component: lazyRouteComponent(() => import('./usage-page.tsx'), 'UsagePage'),
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
