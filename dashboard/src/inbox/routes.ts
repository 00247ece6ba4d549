import { createRoute } from '@tanstack/react-router'
import { searchText } from '../parts/search-text.ts'
import { lazyPage } from '../shell/lazy-page.ts'
import { signedInRoute } from '../shell/root-routes.tsx'

export interface InboxSearch {
  /** In Mailpit's syntax. */
  readonly query?: string | undefined
}

const inboxRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: '/inbox',
  validateSearch: ({ query }: Record<string, unknown>): InboxSearch => ({
    query: searchText(query),
  }),
  component: lazyPage(async () => (await import('./inbox-page.tsx')).InboxPage),
})

const TABS = ['html', 'text', 'headers', 'source', 'attachments'] as const
export type InboxTab = (typeof TABS)[number]

const inboxMessageRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: '/inbox/$id',
  validateSearch: ({ tab }: Record<string, unknown>): { readonly tab?: InboxTab | undefined } => ({
    tab: TABS.find((name) => name === tab),
  }),
  component: lazyPage(async () => (await import('./inbox-message-page.tsx')).InboxMessagePage),
})

export const inboxRoutes = [inboxRoute, inboxMessageRoute] as const
