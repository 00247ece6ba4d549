/** History: what happened to mail, for as long as it is kept. In: events from the outbox, by the projector alone. Out:
 *  counts, single events, timelines. Promise: an event is in it once, whatever is repeated; rows and counts change in one
 *  commit, so that a question has the same answer whichever of them gives it, on both engines; a question has a time
 *  limit. */
import type { EventRow, TimelinePage } from '#events/events.ts'
import type { Log } from '#observe/log.ts'
import { ScanTimeout } from '#store/scan-timeout.ts'
import type { Store, Write } from '#store/store.ts'
import { answerEvents } from './answer-events.ts'
import { answerGroups } from './answer-groups.ts'
import { answerTimeline } from './answer-timeline.ts'
import type { Asking } from './asking.ts'
import { keptSince } from './day.ts'
import { DeadlinePassed, startDeadline } from './deadline.ts'
import { findNamesakes } from './find-namesakes.ts'
import type { HistoryEngine } from './history-engine.ts'
import { openHistoryIndex } from './history-index.ts'
import type { Answer, EventsQuery, Group, GroupsQuery, HistoryEvent, Query } from './history-query.ts'
import type { OutboxEvent } from './outbox-event.ts'
import { openTurns } from './question-turns.ts'
import { openSqliteHistory } from './sqlite-history.ts'

export interface History {
  /** Throws TypeError for a question that makes no sense, which whoever asks has to keep away: a limit out of range, a
   *  time that is compared with text, an order by what is not grouped by. */
  groups(query: GroupsQuery): Promise<Answer<Group>>
  events(query: EventsQuery): Promise<Answer<HistoryEvent>>
  /** Ids of messages that came in with this Message-ID in their header, whether in angle brackets or not; 200 at most. */
  namesakes(accountId: string, headerMessageId: string): Promise<Answer<string>>
  /** What is here of a message's timeline, oldest first; `events/read-timeline.ts` adds what is still in the outbox. */
  timeline(page: TimelinePage): Promise<EventRow[]>
  /** Takes in a batch in the order of the outbox, and passes over what it has already. For the projector, whose guards go
   *  into the same commit where history is in the main store's database. False: one of them did not hold. */
  take(events: readonly OutboxEvent[], guards: readonly Write[]): Promise<boolean>
  /** Forgets the days that are over. Runs by itself at the start and each hour, too. */
  forget(): Promise<void>
  close(): Promise<void>
}

export interface HistoryOptions {
  /** The main store: on PostgreSQL history is in the same database. */
  readonly store: Store
  /** The data folder: on SQLite history is in a folder of its own in it, `history`. */
  readonly directory: string
  /** Of the database, on PostgreSQL. */
  readonly url: string | undefined
  readonly log: Log
  /** Whole days that are kept besides today's. */
  readonly days: number
  readonly now: () => number
  /** How long a question may take, in ms. */
  readonly limitMs?: number
  /** By which that is measured, in ms; the process's own, unless a test has another. */
  readonly clock?: () => number
}

type Found<Row> = Omit<Extract<Answer<Row>, { readonly kind: 'answer' }>, 'kind'>

const LIMIT_MS = 5000
const FORGET_MS = 3_600_000
const MOST_ROWS = 10_000

export async function openHistory(options: HistoryOptions): Promise<History> {
  const { log, days, now, limitMs = LIMIT_MS, clock = () => performance.now() } = options
  const engine = await openEngine(options, limitMs)
  const index = openHistoryIndex(engine)
  const turns = openTurns({ limitMs, clock })
  const forget = () => engine.forget(keptSince(now(), days))
  const forgetSoon = () => {
    forget().catch((error: unknown) => log.error({ err: error }, 'history: could not forget, it tries again'))
  }
  const timer = setInterval(forgetSoon, FORGET_MS)
  timer.unref()
  forgetSoon()

  async function answer<Row>(
    kind: 'groups' | 'events',
    accountId: string,
    find: (asking: Asking) => Promise<Found<Row>>,
  ): Promise<Answer<Row>> {
    const since = keptSince(now(), days)
    try {
      const found = await turns.take(`${kind} ${accountId}`, () =>
        find({ engine, index, since, deadline: startDeadline(limitMs, clock) }),
      )
      return found === 'busy' ? { kind: 'busy' } : { kind: 'answer', ...found }
    } catch (error) {
      if (error instanceof ScanTimeout || error instanceof DeadlinePassed)
        return { kind: 'too-slow', limitMs }
      throw error
    }
  }

  return {
    async groups(query) {
      checkLimit(query)
      return answer('groups', query.scope.accountId, async (asking) => ({
        rows: await answerGroups(asking, query),
      }))
    },
    async events(query) {
      checkLimit(query)
      return answer('events', query.scope.accountId, (asking) => answerEvents(asking, query))
    },
    namesakes: (accountId, headerMessageId) =>
      answer('events', accountId, async (asking) => ({
        rows: await findNamesakes(asking, { accountId, headerMessageId }),
      })),
    timeline: (page) => answerTimeline({ engine, index }, page),
    take: (events, guards) => engine.take(events, guards),
    forget,
    async close() {
      clearInterval(timer)
      await engine.close()
    },
  }
}

function checkLimit({ limit }: Query): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_ROWS) return
  throw new TypeError(`a question asks for 1 to ${MOST_ROWS} rows`)
}

async function openEngine(
  { store, directory, url, log }: HistoryOptions,
  limitMs: number,
): Promise<HistoryEngine> {
  if (store.engine === 'sqlite') return openSqliteHistory({ directory, limitMs, log })
  if (url === undefined) throw new TypeError('history on PostgreSQL wants the URL of its database')
  // Loaded only here: most installations have no use for the client.
  const { openPostgresHistory } = await import('./postgres-history.ts')
  return openPostgresHistory({ store, url, limitMs, log })
}
