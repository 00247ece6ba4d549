import { createRoute } from '@tanstack/react-router'
import { lazyPage } from '../shell/lazy-page.ts'
import { ofAccountRoute } from '../shell/root-routes.tsx'

export const MESSAGE_TABS = ['timeline', 'preview', 'source', 'headers', 'attachments'] as const
export type MessageTab = (typeof MESSAGE_TABS)[number]

export interface MessageSearch {
  /** Absent: the timeline. */
  readonly tab?: MessageTab
  /** The delivery that the timeline is narrowed to. */
  readonly delivery?: string
}

/** A message by its Message-ID, sent or received; one that came in by its id alone. */
export const messageRoute = createRoute({
  getParentRoute: () => ofAccountRoute,
  path: '/messages/$messageId',
  validateSearch: ({ tab, delivery }: Record<string, unknown>): MessageSearch => {
    const known = MESSAGE_TABS.find((one) => one === tab)
    return {
      ...(known !== undefined && known !== 'timeline' && { tab: known }),
      ...(typeof delivery === 'string' && /^[0-9a-f]{32}$/.test(delivery) && { delivery }),
    }
  },
  component: lazyPage(async () => (await import('./message-page.tsx')).MessagePage),
})

export const messageRoutes = [messageRoute] as const
