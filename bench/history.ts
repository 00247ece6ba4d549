/** What history answers, and how fast, beside ingest: `node bench/history.ts`.
 *
 *    node bench/history.ts                                        a million events over 31 days in one zone, on SQLite
 *    node bench/history.ts --events 10000000 --dir /mnt/disk      the bar, which takes half an hour
 *    node bench/history.ts --engine postgres                      the same on a server of its own
 *
 *  Traffic of 31 days in one zone, in the order of time: sent mail of five domains (messages to one or three recipients,
 *  some put off, refused or failed) and routed mail (a hundred rules, each result of authentication). It goes into
 *  history by the batch; then every question of the specification's page is asked again and again, first alone, then
 *  while events go the whole way: committed to the outbox, projected, deleted. Times are those of whoever asks. */
import { statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command, Option } from 'commander'
import pg from 'pg'
import pino from 'pino'
import { type History, openHistory } from '#analytics/history.ts'
import type { EventsQuery, Filter, GroupsQuery } from '#analytics/history-query.ts'
import type { OriginDomain, OutboxEvent } from '#analytics/outbox-event.ts'
import { openProjector } from '#analytics/projector.ts'
import { eventWrite } from '#events/events.ts'
import type { Address } from '#model/address.ts'
import type { EventDetail, MailEvent } from '#model/event.ts'
import { newId } from '#store/id.ts'
import { openPostgresStore } from '#store/open-postgres.ts'
import { openSqliteStore } from '#store/open-sqlite.ts'
import type { Store } from '#store/store.ts'
import { makeDomain, type SomeDomain } from '#test/history-world.ts'
import { startPostgres } from '#test/postgres-server.ts'

interface Flags {
  readonly engine: Store['engine']
  readonly events: number
  readonly dir: string
  readonly rounds: number
  readonly seconds: number
  readonly rate: number
}

const DAY_MS = 86_400_000
const DAYS = 31
const BATCH = 1000

const program = new Command('history')
  .addOption(new Option('--engine <engine>').choices(['sqlite', 'postgres']).default('sqlite'))
  .option('--events <n>', 'events to fill history with', Number, 1_000_000)
  .option('--dir <folder>', 'where the data goes', tmpdir())
  .option('--rounds <n>', 'times that each question is asked', Number, 20)
  .option('--seconds <n>', 'of ingest beside the questions, at least', Number, 20)
  .option('--rate <n>', 'events a second of that ingest, at most', Number, 6000)

const flags = program.parse().opts<Flags>()
const random = seeded(42)
const end = Date.now()
const start = end - DAYS * DAY_MS

/** Mulberry32: the same traffic in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function pick<T>(list: readonly T[]): T {
  const one = list[Math.floor(random() * list.length)]
  if (one === undefined) throw new Error('an empty list')
  return one
}

/** The earlier ones are the more likely. */
function skewed<T>(list: readonly T[]): T {
  return list[Math.floor(random() * random() * list.length)] ?? pick(list)
}

/** A UUIDv7 of a time. */
function idAt(at: number): string {
  const digits = (many: number) =>
    Array.from({ length: many }, () => Math.floor(random() * 16).toString(16)).join('')
  return `${at.toString(16).padStart(12, '0')}7${digits(3)}8${digits(15)}`
}

const RULES = Array.from({ length: 100 }, () => idAt(start))
const CAUSES = [
  ...(['recipient-unknown', 'content-spam', 'sender-blocked', 'recipient-full'] as const),
  ...(['policy', 'relay-denied', 'recipient-disabled', 'other'] as const),
]
const PROVIDERS = ['gmail.example', 'outlook.example', 'yahoo.example', 'gmx.example', 'corp.example']
const DIALOGUE = [
  'c: EHLO a',
  's: 250-b 250 PIPELINING',
  'c: MAIL FROM:<x>',
  's: 250 ok',
  'c: DATA',
  's: 354 go on',
]

/** What one message makes, each with how long after the first it comes, in ms. */
type Story = readonly { readonly after: number; readonly event: Omit<MailEvent, 'at' | 'accountId'> }[]

function sent(domains: readonly SomeDomain[], at: number): Story {
  const domain = skewed(domains)
  const sender = `${pick(['news', 'billing', 'hello', 'noreply'])}@${domain.name}`
  const many = random() < 0.05 ? 3 : 1
  const recipients = Array.from(
    { length: many },
    () => `user${Math.floor(random() * 500_000)}@${skewed(PROVIDERS)}`,
  )
  const subject = `Your order ${Math.floor(random() * 1e6)} is on its way`
  const same = { domainId: domain.id, messageId: idAt(at) }
  const first = { ...same, type: 'accepted', deliveryId: null, terminal: false } as const
  return [
    { after: 0, event: { ...first, detail: { sender, recipients, subject, size: 5000 } } },
    ...recipients.flatMap((recipient): Story => {
      const delivery = { ...same, deliveryId: idAt(at) }
      const detail: EventDetail = {
        ...{
          sender,
          recipient,
          subject,
          attempt: 1,
          host: 'mx.example',
          address: '192.0.2.1',
          durationMs: 420,
        },
        ...{
          tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
          dialogue: DIALOGUE,
          smtpStatus: 250,
          smtpReply: '250 2.0.0 ok',
        },
      }
      const luck = random()
      const put = {
        ...delivery,
        type: 'deferred',
        terminal: false,
        detail: { ...detail, cause: 'greylisted' },
      } as const
      const gone = { ...delivery, type: 'delivered', terminal: true, detail } as const
      if (luck < 0.9) return [{ after: 400, event: gone }]
      if (luck < 0.95)
        return [
          { after: 400, event: put },
          { after: 600_000, event: gone },
        ]
      const refused = {
        ...detail,
        cause: skewed(CAUSES),
        smtpReply: '550 5.1.1 no such user',
        smtpStatus: 550,
      }
      const type = luck < 0.99 ? 'bounced' : 'failed'
      return [{ after: 500, event: { ...delivery, type, terminal: true, detail: refused } }]
    }),
  ]
}

function routed(domains: readonly SomeDomain[], at: number): Story {
  const domain = skewed(domains)
  const recipient = `${pick(['info', 'sales', 'support', 'jobs'])}@${domain.name}` as Address
  const luck = random()
  const type =
    luck < 0.8
      ? 'delivered'
      : luck < 0.9
        ? 'handled'
        : luck < 0.95
          ? 'dropped'
          : luck < 0.99
            ? 'rejected'
            : 'bounced'
  const action = type === 'handled' ? 'worker' : type === 'dropped' ? 'drop' : 'forward'
  return [
    {
      after: 0,
      event: {
        ...{ type, terminal: true, domainId: domain.id, messageId: idAt(at), deliveryId: idAt(at) },
        detail: {
          sender: `someone${Math.floor(random() * 100_000)}@${skewed(PROVIDERS)}`,
          ...{ recipient, subject: `Question ${Math.floor(random() * 1e6)}`, size: 20_000 },
          ...(action === 'forward' &&
            type !== 'rejected' && { attempt: 1, smtpReply: '250 ok', host: 'mx.example' }),
          routed: {
            ...{ ruleId: skewed(RULES), action, recipient, sessionId: idAt(at), remoteAddress: '192.0.2.7' },
            spf: skewed(['pass', 'softfail', 'fail', 'none', 'neutral']),
            dkim: skewed(['pass', 'none', 'fail']),
            dmarc: skewed(['pass', 'none', 'fail']),
            arc: skewed(['none', 'pass', 'fail']),
            ...{ isSpam: random() < 0.05, isNdr: random() < 0.02 },
          },
        },
      },
    },
  ]
}

/** Events of many messages, in the order of time. Each story begins so long after the one before. */
function* traffic(
  domains: readonly SomeDomain[],
  from: number,
  gapMs: number,
): Generator<MailEvent, never, undefined> {
  const accountId = domains[0]?.accountId ?? ''
  // Events that come equally long after their message come in its order.
  const queues = new Map<number, MailEvent[]>()
  for (let clock = from; ; clock += gapMs) {
    const at = Math.floor(clock)
    const story = random() < 0.6 ? sent(domains, at) : routed(domains, at)
    for (const { after, event } of story) {
      queues.getOrInsert(after, []).push({ ...event, at: at + after, accountId })
    }
    for (;;) {
      const due = [...queues.values()].filter((queue) => (queue[0]?.at ?? Infinity) <= at)
      const [first] = due.sort((one, other) => (one[0]?.at ?? 0) - (other[0]?.at ?? 0))
      const next = first?.shift()
      if (!next) break
      yield next
    }
  }
}

/** As a projector reads it. */
function fromOutbox(event: MailEvent, seq: number, origins: ReadonlyMap<string, OriginDomain>): OutboxEvent {
  const { at, accountId, messageId, deliveryId, terminal, type, detail } = event
  return {
    ...{ seq, id: idAt(at), at, accountId, messageId, deliveryId, terminal, type, detail },
    domain: origins.get(event.domainId ?? ''),
    detailJson: JSON.stringify(detail),
  }
}

async function fill(history: History, domains: readonly SomeDomain[]): Promise<void> {
  const check = { status: 'ready', problems: [] }
  const origins = new Map(domains.map(({ id, name, zoneId }) => [id, { id, name, zoneId, check }]))
  // 1.65 events for each message.
  const events = traffic(domains, start, (end - start) / (flags.events / 1.65))
  const began = performance.now()
  let taking: Promise<unknown> = Promise.resolve()
  for (let done = 0; done < flags.events; done += BATCH) {
    const batch = Array.from({ length: BATCH }, (_, i) =>
      fromOutbox(events.next().value, -flags.events + done + i, origins),
    )
    await taking
    taking = history.take(batch, [])
    if (done > 0 && done % 1_000_000 === 0) console.log(`  ${done} events after ${seconds(began)} s`)
  }
  await taking
  const took = (performance.now() - began) / 1000
  console.log(
    `filled: ${flags.events} events in ${took.toFixed(1)} s, ${Math.round(flags.events / took)} a second`,
  )
}

function seconds(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(0)
}

interface Question {
  readonly name: string
  readonly ask: (history: History) => ReturnType<History['groups']> | ReturnType<History['events']>
}

function questions(domain: SomeDomain): readonly Question[] {
  const scope = { accountId: domain.accountId, zoneIds: [domain.zoneId] }
  const between = (field: 'date' | 'datetimeHour' | 'datetime', from: number, to: number): Filter => ({
    and: [
      {
        field,
        is: 'geq',
        value: from - (from % (field === 'date' ? DAY_MS : field === 'datetime' ? 1000 : 3_600_000)),
      },
      {
        field,
        is: 'leq',
        value: to - (to % (field === 'date' ? DAY_MS : field === 'datetime' ? 1000 : 3_600_000)),
      },
    ],
  })
  const all = between('date', start, end)
  const groups = (name: string, more: Omit<GroupsQuery, 'scope' | 'limit'>): Question => ({
    name,
    ask: (history) => history.groups({ scope, limit: 10_000, filter: all, ...more }),
  })
  const events = (name: string, more: Omit<EventsQuery, 'scope'>): Question => ({
    name,
    ask: (history) => history.events({ scope, filter: between('datetime', start, end), ...more }),
  })
  const newest = [{ by: 'date', direction: 'desc' }] as const
  const sending = { dataset: 'sending' } as const
  const routing = { dataset: 'routing' } as const
  const status = (value: string): Filter => ({ and: [all, { field: 'status', is: 'eq', value }] })
  const withText = (field: 'to' | 'subject' | 'errorCause', is: 'eq' | 'contains', text: string): Filter => ({
    and: [all, is === 'eq' ? { field, is, value: text } : { field, is, text }],
  })
  return [
    groups('page: sending by date, status', { ...sending, by: ['date', 'status'], order: newest }),
    groups('page: failures by date, cause, domain', {
      ...{
        ...sending,
        by: ['date', 'errorCause', 'sendingDomain'],
        order: newest,
        filter: status('deliveryFailed'),
      },
    }),
    groups('page: sending by hour, status', {
      ...{ ...sending, by: ['datetimeHour', 'status'], order: [{ by: 'datetimeHour', direction: 'asc' }] },
      filter: between('datetimeHour', start, end),
    }),
    events('page: 50 newest sent', { ...sending, limit: 50 }),
    groups('page: routing by date, status', { ...routing, by: ['date', 'status'], order: newest }),
    groups('page: routing by date, rule, action', {
      ...routing,
      by: ['date', 'ruleMatched', 'action'],
      order: newest,
    }),
    events('page: 50 newest routed', { ...routing, limit: 50 }),
    groups('last of each delivery by status', { ...sending, by: ['status', 'isLastEvent'] }),
    groups('dkim, dmarc, spf of routed mail', { ...routing, by: ['dkim', 'dmarc', 'spf', 'arc'] }),
    groups('routed by hour, dmarc', { ...routing, by: ['datetimeHour', 'dmarc'], order: newestHour }),
    groups('by five minutes, 10,000 newest', {
      ...{ ...sending, by: ['datetimeFiveMinutes', 'status'] },
      order: [{ by: 'datetimeFiveMinutes', direction: 'desc' }],
    }),
    groups('by minute, 10,000 newest', {
      ...{
        ...sending,
        by: ['datetimeMinute', 'status'],
        order: [{ by: 'datetimeMinute', direction: 'desc' }],
      },
    }),
    groups('by exact time, 10,000 newest', {
      ...{ ...sending, by: ['datetime', 'status'], order: [{ by: 'datetime', direction: 'desc' }] },
    }),
    groups('30 days to the millisecond, by status', {
      ...{ ...sending, by: ['status'] },
      filter: between('datetime', end - 30 * DAY_MS - 1_234_567, end - 1_234_567),
    }),
    groups('one recipient, by status', {
      ...{ ...sending, by: ['status'], filter: withText('to', 'eq', 'user1234@gmail.example') },
    }),
    groups('a day by recipient', {
      ...{ ...sending, by: ['envelopeTo'], order: [{ by: 'count', direction: 'desc' }] },
      filter: between('date', end - DAY_MS, end - DAY_MS),
    }),
    groups('31 days by recipient', {
      ...sending,
      by: ['envelopeTo'],
      order: [{ by: 'count', direction: 'desc' }],
    }),
    events('log: first page of all', { limit: 50 }),
    events('log: one recipient', { limit: 50, filter: withText('to', 'eq', 'user1234@gmail.example') }),
    events('log: a rare status', { ...sending, limit: 50, filter: status('failed') }),
    events('log: a rare cause, 10,000', {
      ...sending,
      limit: 10_000,
      filter: withText('errorCause', 'eq', 'other'),
    }),
    events('log: 10,000 newest', { ...sending, limit: 10_000 }),
    events('log: in the subject, nearby', { limit: 50, filter: withText('subject', 'contains', 'ORDER 77') }),
    events('log: in the subject, nowhere', { limit: 50, filter: withText('subject', 'contains', 'nowhere') }),
  ]
}

const newestHour = [{ by: 'datetimeHour', direction: 'desc' }] as const

async function ask(history: History, of: readonly Question[], isOver: () => boolean): Promise<void> {
  const times = new Map(of.map(({ name }) => [name, { ms: [] as number[], rows: 0, slow: 0 }]))
  for (let round = 0; round < flags.rounds || !isOver(); round++) {
    for (const { name, ask } of of) {
      const began = performance.now()
      const answer = await ask(history)
      const time = times.get(name)
      time?.ms.push(performance.now() - began)
      if (time && answer.kind === 'too-slow') time.slow += 1
      if (time && answer.kind === 'answer') time.rows = answer.rows.length
    }
  }
  console.log('  p50 ms   p95 ms     rows  question')
  for (const [name, { ms, rows, slow }] of times) {
    const sorted = ms.toSorted((one, other) => one - other)
    const at = (share: number) =>
      (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0).toFixed(1).padStart(8)
    console.log(
      `${at(0.5)} ${at(0.95)} ${String(rows).padStart(8)}  ${name}${slow > 0 ? `  (${slow} given up)` : ''}`,
    )
  }
}

/** Events the whole way, at a steady rate where they go as fast as that. */
async function flow(store: Store, history: History, domains: readonly SomeDomain[]) {
  let written = 0
  let projected = 0
  const stopping = new AbortController()
  const log = pino({ level: 'warn' }, process.stderr)
  const projector = openProjector({
    ...{ store, history, log, node: newId(), batch: BATCH, idleMs: 5 },
    notificationsFor: async () => [],
    onProjected: (events) => {
      projected += events.length
    },
  })
  const events = traffic(domains, Date.now(), 0.1)
  const began = performance.now()
  const writing = (async () => {
    while (!stopping.signal.aborted) {
      const due = ((performance.now() - began) / 1000) * flags.rate
      if (written > due || written - projected > 5 * BATCH) {
        await sleep(2)
        continue
      }
      const sets = Array.from({ length: 100 }, () =>
        Array.from({ length: 5 }, () => eventWrite(events.next().value)),
      )
      await Promise.all(sets.map((set) => store.commit(set)))
      written += 500
    }
  })()
  return {
    async stop() {
      const rate = projected / ((performance.now() - began) / 1000)
      stopping.abort()
      await writing
      await projector.caughtUp()
      await projector.close()
      return rate
    },
  }
}

function fileSize(directory: string): number {
  return statSync(join(directory, 'history/posthorn.sqlite')).size
}

/** As autovacuum does, which the server of the tests has not. */
async function vacuum(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('vacuum analyze')
  await client.end()
}

async function main(): Promise<void> {
  const directory = await mkdtemp(join(flags.dir, 'posthorn-history-'))
  const server = flags.engine === 'postgres' ? await startPostgres() : undefined
  const url = server?.url('postgres')
  const store = url === undefined ? await openSqliteStore({ directory }) : await openPostgresStore({ url })
  const log = pino({ level: 'warn' }, process.stderr)
  const history = await openHistory({
    store,
    directory,
    url,
    log,
    days: DAYS,
    now: Date.now,
    limitMs: 20_000,
  })
  try {
    const first = await makeDomain(store, { name: 'one.example', check: [] })
    const domains = [first]
    for (const name of ['two', 'three', 'four', 'five']) {
      const domain = await makeDomain(store, {
        name: `${name}.example`,
        accountId: first.accountId,
        check: [],
      })
      domains.push({ ...domain, zoneId: first.zoneId })
    }
    await fill(history, domains)
    if (url !== undefined) await vacuum(url)
    else console.log(`its file: ${Math.round(fileSize(directory) / flags.events)} octets for each event`)
    const asked = questions(first)
    console.log('alone:')
    await ask(history, asked, () => true)
    const until = performance.now() + flags.seconds * 1000
    const flowing = await flow(store, history, domains)
    console.log('beside ingest:')
    await ask(history, asked, () => performance.now() > until)
    console.log(
      `ingest meanwhile: ${Math.round(await flowing.stop())} events a second, from commit to history`,
    )
  } finally {
    await history.close()
    await store.close()
    await server?.stop()
    await rm(directory, { recursive: true, force: true })
  }
}

await main()
