import { openGraphql } from '#analytics/graphql/graphql.ts'
import type { Asker } from '#analytics/graphql/query-context.ts'
import { eventWrite } from '#events/events.ts'
import type { Address } from '#model/address.ts'
import type { EventDetail, MailEvent } from '#model/event.ts'
import type { Routed } from '#model/routing.ts'
import { newId } from '#store/id.ts'
import type { Store } from '#store/store.ts'
import { historyWorld, makeDomain, type SomeDomain } from './history-world.ts'
import type { OpenStore } from './stores.ts'

/** The day after the last one of the page's example. */
export const PAGE_NOW = Date.parse('2024-07-31T12:00:00Z')

/** GraphQL over a history that is empty, and two zones of an account that whoever asks may read, and a third of another. */
export async function queryWorld(open: OpenStore, now: () => number = () => PAGE_NOW) {
  const world = await historyWorld(open, { now })
  const { store, history, projector, domain } = world
  const second = await makeDomain(store, { name: 'two.example', accountId: domain.accountId })
  const foreign = await makeDomain(store, { name: 'three.example' })
  const graphql = openGraphql({ history, days: 31, now })
  const by = { owner: 'me', ...askerOf([domain, second]) }

  return {
    ...{ store, history, graphql, by, domain, second, foreign },
    async ask(query: string, variables?: Readonly<Record<string, unknown>>) {
      const answer = await graphql.answer({ query, variables }, by)
      answer.out()
      return answer
    },
    /** Everything that happened, taken in by history. */
    async happen(events: readonly MailEvent[]) {
      await append(store, events)
      await projector.caughtUp()
    },
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  }
}

export function askerOf(domains: readonly SomeDomain[]): Asker {
  const zones = domains
    .map(({ zoneId, accountId }) => ({ zoneTag: zoneId, accountId }))
    .sort((one, other) => (one.zoneTag < other.zoneTag ? -1 : 1))
  return {
    async reach(kind, tag) {
      const found = zones.find(({ zoneTag, accountId }) => (kind === 'zone' ? zoneTag : accountId) === tag)
      return found ? { kind: 'readable', accountId: found.accountId } : { kind: 'unknown' }
    },
    zones: async () => zones,
  }
}

async function append(store: Store, events: readonly MailEvent[]): Promise<void> {
  const result = await store.commit(events.map(eventWrite))
  if (!result.ok) throw new Error(result.conflict)
}

/** Things that happen to mail of a domain at a moment. */
export function eventsOf(domain: Pick<SomeDomain, 'id' | 'accountId' | 'name'>) {
  const event = (
    at: string,
    type: MailEvent['type'],
    more: Partial<MailEvent> & { readonly detail: EventDetail },
  ): MailEvent => ({
    ...{ type, at: Date.parse(at), accountId: domain.accountId, domainId: domain.id },
    ...{ messageId: newId(), deliveryId: null, terminal: false, ...more },
  })
  const sender = `news@${domain.name}`
  return {
    /** A message that is sent, and whose one delivery ends. */
    sent: (at: string, end: 'delivered' | 'bounced', more: EventDetail = {}): MailEvent[] => {
      const messageId = newId()
      const { recipient = 'user@example.com', subject = 'Hello', ...rest } = more
      const accepted = { sender, recipients: [recipient], subject }
      const ended = { sender, recipient, subject, attempt: 1, ...rest }
      return [
        event(at, 'accepted', { messageId, detail: accepted }),
        event(at, end, { messageId, deliveryId: newId(), terminal: true, detail: ended }),
      ]
    },
    routed: (
      at: string,
      type: 'dropped' | 'rejected' | 'handled',
      routed: Partial<Routed> = {},
    ): MailEvent[] => {
      const detail: EventDetail = {
        ...{ sender: 'someone@example.org', subject: 'Hi', recipient: `info@${domain.name}` },
        routed: {
          ...{ ruleId: null, action: 'drop', recipient: `info@${domain.name}` as Address },
          ...{ spf: 'pass', dkim: 'pass', dmarc: 'pass', arc: 'none', isSpam: false, isNdr: false },
          ...{ sessionId: newId(), remoteAddress: '192.0.2.1', ...routed },
        },
      }
      return [event(at, type, { deliveryId: newId(), terminal: true, detail })]
    },
  }
}
