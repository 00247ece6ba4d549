import { type UseQueryResult, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import type { MessageBody, TimelineBody, TimelineEvent } from '#contract/messages.ts'
import { accountPath, ask, askWhole, withQuery } from '../api/ask.ts'
import { Problem } from '../api/problem.ts'
import { queryKey } from '../api/use-ask.ts'

const LIVE_MS = 2000
const PAGE = 1000

export function messagePath(accountId: string, messageId: string, ...below: readonly string[]): string {
  return accountPath(accountId, 'email/sending/messages', messageId, ...below)
}

/** What happened to it, the earliest first; asked anew while something is still to come. */
export function useTimeline(accountId: string, messageId: string) {
  const path = messagePath(accountId, messageId, 'timeline')
  return useInfiniteQuery({
    queryKey: queryKey(path),
    queryFn: ({ pageParam, signal }) =>
      askWhole<TimelineBody>(withQuery(path, { per_page: PAGE, cursor: pageParam }), { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ info }) => info?.next_cursor ?? undefined,
    refetchInterval: ({ state }) => {
      const events = state.data?.pages.flatMap(({ result }) => result.events)
      return events && isUnderWay(events) ? LIVE_MS : false
    },
  })
}

/** The message with its deliveries; null for one that came in, of which only events are kept. */
export function useDeliveries(
  accountId: string,
  messageId: string,
  isUnderWay: boolean,
): UseQueryResult<MessageBody | null> {
  const path = messagePath(accountId, messageId, 'deliveries')
  return useQuery({
    queryKey: queryKey(path),
    queryFn: async ({ signal }) => {
      try {
        return await ask<MessageBody>(path, { signal })
      } catch (error) {
        if (error instanceof Problem && error.status === 404) return null
        throw error
      }
    },
    refetchInterval: isUnderWay && LIVE_MS,
  })
}

/** Whether a recipient's delivery is not settled yet, as far as the events tell. */
export function isUnderWay(events: readonly TimelineEvent[]): boolean {
  const settled = new Set(events.filter(({ terminal }) => terminal).map(({ delivery_id: id }) => id))
  const expected = events
    .filter(({ type, delivery_id: id }) => type === 'accepted' && id === null)
    .reduce((sum, { recipients }) => sum + (recipients?.length ?? 0), 0)
  const begun = events.some(({ delivery_id: id, terminal }) => id !== null && !terminal && !settled.has(id))
  return begun || settled.size < expected
}
