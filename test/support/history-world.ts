import pino from 'pino'
import { type History, openHistory } from '#analytics/history.ts'
import type { Answer } from '#analytics/history-query.ts'
import type { OutboxEvent } from '#analytics/outbox-event.ts'
import { openProjector } from '#analytics/projector.ts'
import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import type { OpenStore } from './stores.ts'

/** A zone's domain, as events name it. */
export interface SomeDomain {
  readonly id: string
  readonly accountId: string
  readonly zoneId: string
  readonly name: string
}

/** A store with history and a projector at work, which end with it. */
export async function historyWorld(
  open: OpenStore,
  more: {
    readonly now?: () => number
    readonly days?: number
    readonly notificationsFor?: (events: readonly OutboxEvent[]) => Promise<readonly Write[]>
    readonly batch?: number
    readonly limitMs?: number
    readonly clock?: () => number
  } = {},
) {
  const { store, directory, url } = open
  const log = pino({ level: 'silent' })
  const { now = Date.now, days = 31, notificationsFor = async () => [], batch = 50, limitMs = 5000 } = more
  const clock = more.clock ?? (() => performance.now())
  const history = await openHistory({ store, directory, url, log, days, now, limitMs, clock })
  const projector = openProjector({ store, history, notificationsFor, log, node: newId(), batch, idleMs: 5 })
  const domain = await makeDomain(store, { name: 'one.example' })
  return {
    ...{ store, history, projector, domain },
    async [Symbol.asyncDispose]() {
      await projector.close()
      await history.close()
    },
  }
}

/** Makes a domain in a zone of its own, and an account for it where none is named. */
export async function makeDomain(
  store: Store,
  { name, accountId = newId(), check }: { name: string; accountId?: string; check?: readonly string[] },
): Promise<SomeDomain> {
  const [id, zoneId] = [newId(), newId()]
  const result = await store.commit([
    { statement: insertAccount, params: [accountId] },
    { statement: insertZone, params: [zoneId, accountId, `${zoneId}.example`] },
    { statement: insertDomain, params: [id, zoneId, accountId, name] },
    ...(check ? [{ statement: insertCheck, params: [id, accountId, JSON.stringify(check)] }] : []),
  ])
  if (!result.ok) throw new Error(result.conflict)
  return { id, accountId, zoneId, name }
}

/** Keeps an account's lines of questions full, until it is told to stop. */
export function keepBusy(
  history: Pick<History, 'events' | 'groups'>,
  accountId: string,
): () => Promise<void> {
  const calm = new AbortController()
  const query = { scope: { accountId }, limit: 1 }
  const askOn = async (ask: () => Promise<Answer<unknown>>) => {
    while (!calm.signal.aborted) if ((await ask()).kind === 'busy') await new Promise(setImmediate)
  }
  const asking = Array.from({ length: 40 }, () => [
    askOn(() => history.events(query)),
    askOn(() => history.groups({ ...query, by: [] })),
  ]).flat()
  return async () => {
    calm.abort()
    await Promise.all(asking)
  }
}

export function rowsOf<Row>(answer: Answer<Row>): readonly Row[] {
  if (answer.kind !== 'answer') throw new Error(`no answer, but ${answer.kind}`)
  return answer.rows
}

const insertAccount = statement(
  'test.account',
  `insert into account (id, name, sending_enabled, created_at) values ($1, 'a', 1, 0) on conflict (id) do nothing`,
)
const insertZone = statement(
  'test.zone',
  `insert into zone (id, account_id, name, status, created_at) values ($1, $2, $3, 'active', 0)`,
)
const insertDomain = statement(
  'test.domain',
  `insert into domain (id, zone_id, account_id, name, sending, routing, preview_enabled, drop_suppressed_recipients,
     created_at, modified_at) values ($1, $2, $3, $4, 'active', 'active', 1, 0, 0, 0)`,
)
const insertCheck = statement(
  'test.check',
  `insert into dns_check (domain_id, mail, account_id, status, problems, checked_at, due_at)
     values ($1, 'sending', $2, 'ready', $3, 0, 0)`,
)
