import { createRoute, lazyRouteComponent } from '@tanstack/react-router'
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
  validateSearch: ({ status }: Record<string, unknown>): { readonly status?: string } =>
    typeof status === 'string' ? { status } : {},
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
  validateSearch: (search: Record<string, unknown>): AuditLogSearch => ({
    ...textOf(search, 'action'),
    ...textOf(search, 'email'),
    ...textOf(search, 'since'),
    ...textOf(search, 'before'),
  }),
  component: lazyRouteComponent(() => import('./audit-log-page.tsx'), 'AuditLogPage'),
})

/** What the log is narrowed to; `since` and `before` are days. */
export interface AuditLogSearch {
  readonly action?: string
  readonly email?: string
  readonly since?: string
  readonly before?: string
}

function textOf<Name extends string>(
  search: Record<string, unknown>,
  name: Name,
): { readonly [N in Name]?: string } {
  const value = search[name]
  return typeof value === 'string' && value !== '' ? ({ [name]: value } as { [N in Name]: string }) : {}
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
