import { eventWrite } from '#events/events.ts'
import type { DomainEvent } from '#model/event.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { type CountedOutcome, countOutcome, type SettledEvent } from './count-outcome.ts'
import { type Figures, type FiguresProblem, NO_FIGURES, problemsOf, sum, type Thresholds } from './figures.ts'
import { type Provider, providerOf } from './provider.ts'

/** How wanted the mail of each domain is: what became of it, by hour and by who keeps the mailboxes. In: events, as they
 *  leave the outbox. Out: figures, and an event where a rate crosses its threshold. Promise: each event counts once,
 *  because it is counted in the commit that takes it out of the outbox; a crossing makes one event, in the commit that
 *  takes note of it, and one more when it is over. The window slides by the hour. */
export interface Reputation {
  /** What counts a batch. For the commit that takes these events out of the outbox. */
  writesFor(events: readonly SettledEvent[]): Promise<readonly Write[]>
  /** Looks at the domains whose figures have changed, and each hour at those in trouble. Out: the events that it made. */
  look(): Promise<number>
  /** Of one domain, over whole hours up to now. `days`: 1 to 31; by default the window that thresholds are about. */
  figures(accountId: string, domainId: string, days?: number): Promise<DomainFigures>
  /** The domains of an account with rates that have crossed their thresholds, by id. */
  troubled(accountId: string): Promise<ReadonlyMap<string, Standing>>
  /** Of all domains of an account, between two times (ms) that are whole hours. */
  between(accountId: string, since: number, until: number): Promise<Figures>
  /** Forgets what no window reaches any more. */
  sweep(): Promise<void>
  readonly thresholds: Thresholds
}

export interface Standing {
  /** Those of the window that thresholds are about, as of the last look. */
  readonly problems: readonly FiguresProblem[]
  /** Since when there are any. */
  readonly problemsSince: number | null
}

export interface DomainFigures extends Standing {
  readonly total: Figures
  /** Those with the most first. */
  readonly providers: readonly (Figures & { readonly provider: Provider })[]
  /** In milliseconds. */
  readonly since: number
  readonly until: number
}

export interface ReputationOptions {
  readonly store: Store
  readonly thresholds: Thresholds
  readonly windowDays: number
  /** The domain of recipients that say nothing of anybody. */
  readonly simulator: string
  /** Who took a delivery in, for what came back of it later: undefined where that is not known any more. */
  readonly takenBy: (of: {
    readonly accountId: string
    readonly messageId: string
    readonly deliveryId: string
  }) => Promise<string | undefined>
  readonly now: () => number
}

const HOUR_MS = 3_600_000
const MOST_DAYS = 31
/** A domain whose figures change all the time is looked at as often. */
const LOOK_MS = 60_000
/** Domains at a time. */
const BATCH = 100

export function openReputation(options: ReputationOptions): Reputation {
  const { store, thresholds, windowDays, now } = options

  async function writesFor(events: readonly SettledEvent[]): Promise<readonly Write[]> {
    const counts = new Map<string, { readonly key: readonly (string | number)[]; figures: Figures }>()
    const domains = new Map<string, string>()
    for (const event of events) {
      const counted = countOutcome(event, options.simulator)
      if (!counted) continue
      const domainId = event.domain?.id ?? ''
      const key = [event.accountId, domainId, hourOf(event.at), await providerFor(event, counted)]
      const name = key.join(' ')
      const { figures } = counts.get(name) ?? { figures: NO_FIGURES }
      counts.set(name, { key, figures: sum([figures, counted]) })
      if (domainId !== '') domains.set(domainId, event.accountId)
    }
    // In one order, so that no two commits each hold the row that the other wants.
    const inOrder = <T>(all: Map<string, T>) => [...all].toSorted(([a], [b]) => (a < b ? -1 : 1))
    return [
      ...inOrder(counts).map(([, { key, figures }]) => {
        const { settled, delivered, hardBounced, complained } = figures
        return { statement: count, params: [...key, settled, delivered, hardBounced, complained], rows: 1 }
      }),
      ...inOrder(domains).map(([id, accountId]) => ({ statement: touch, params: [id, accountId], rows: 1 })),
    ]
  }

  async function providerFor(event: SettledEvent, { recipient, host }: CountedOutcome): Promise<Provider> {
    const domain = recipient.slice(recipient.lastIndexOf('@') + 1)
    const { accountId, messageId, deliveryId } = event
    const byDomain = providerOf({ domain, host })
    if (byDomain !== 'other' || event.terminal || messageId === null || deliveryId === null) return byDomain
    return providerOf({ domain, host: await options.takenBy({ accountId, messageId, deliveryId }) })
  }

  async function look(): Promise<number> {
    let made = 0
    for (;;) {
      const at = now()
      const [changed, troubled] = [at - LOOK_MS, at - HOUR_MS]
      // An index answers whether there is anything to look at.
      const isDue = (await store.get(anyChanged, [changed])) ?? (await store.get(anyInTrouble, [troubled]))
      if (!isDue) return made
      const due = await store.all(dueDomains, [changed, troubled, BATCH, startOf(windowDays, at) / HOUR_MS])
      const counts = await Promise.all(due.map((row) => lookAt(row, at)))
      made += counts.reduce((one, other) => one + other, 0)
      if (due.length < BATCH) return made
    }
  }

  async function lookAt(row: StandingRow, at: number): Promise<number> {
    const total = figuresOf(row)
    const before = problemsIn(row.problems)
    // Nobody is told of a domain that is gone.
    const after = row.name === null ? [] : problemsOf(total, thresholds, before)
    const began = after.filter((problem) => !before.includes(problem))
    const ended = before.filter((problem) => !after.includes(problem))
    const since = after.length === 0 ? null : before.length === 0 ? at : row.since
    const events = [
      ...crossing('deliverability-declined', began),
      ...crossing('deliverability-restored', ended),
    ]
    // Somebody else who looked meanwhile has told of what there was to tell.
    const taken: Write = {
      statement: takeNote,
      params: [
        row.domain_id,
        row.changes,
        JSON.stringify(after),
        since,
        Math.max(at, row.looked_at + 1),
        row.looked_at,
      ],
      rows: 1,
    }
    const result = await store.commit([taken, ...events])
    return result.ok ? events.length : 0

    function crossing(type: DeliverabilityEvent['type'], problems: readonly FiguresProblem[]): Write[] {
      if (problems.length === 0 || row.name === null) return []
      const event: DeliverabilityEvent = {
        ...{ type, at, accountId: row.account_id, domainId: row.domain_id },
        ...{ messageId: null, deliveryId: null, terminal: false },
        detail: { domain: row.name, service: 'sending', problems, figures: { ...total, days: windowDays } },
      }
      return [eventWrite(event)]
    }
  }

  async function read(accountId: string, domainId: string, days: number) {
    const until = now()
    const since = startOf(days, until)
    const rows = await store.all(ofDomain, [accountId, domainId, since / HOUR_MS])
    const providers = rows
      // Written by this room.
      .map(({ provider, ...row }) => ({ provider: provider as Provider, ...figuresOf(row) }))
      .toSorted((a, b) => b.settled - a.settled || (a.provider < b.provider ? -1 : 1))
    return { total: sum(providers), providers, since, until }
  }

  return {
    writesFor,
    look,
    async figures(accountId, domainId, days = windowDays) {
      const [figures, row] = await Promise.all([
        read(accountId, domainId, Math.min(MOST_DAYS, days)),
        store.get(standing, [domainId, accountId]),
      ])
      return { ...figures, problems: problemsIn(row?.problems ?? '[]'), problemsSince: row?.since ?? null }
    },
    async troubled(accountId) {
      const rows = await store.all(inTroubleOf, [accountId])
      return new Map(
        rows.map((row) => [row.domain_id, { problems: problemsIn(row.problems), problemsSince: row.since }]),
      )
    },
    async between(accountId, since, until) {
      const [row] = await store.all(ofAccount, [accountId, hourOf(since), hourOf(until)])
      return row ? figuresOf(row) : NO_FIGURES
    },
    async sweep() {
      await store.commit([
        { statement: forgetHours, params: [hourOf(now()) - (MOST_DAYS + 1) * 24] },
        { statement: forgetDomains, params: [] },
      ])
    },
    thresholds,
  }
}

type DeliverabilityEvent = DomainEvent & {
  readonly type: 'deliverability-declined' | 'deliverability-restored'
}

/** Of a window that ends within an hour, at the start of one. */
function startOf(days: number, until: number): number {
  return (hourOf(until) - days * 24 + 1) * HOUR_MS
}

/** Hours since 1970. */
function hourOf(at: number): number {
  return Math.floor(at / HOUR_MS)
}

function problemsIn(json: string): readonly FiguresProblem[] {
  // Written by this room.
  return JSON.parse(json) as readonly FiguresProblem[]
}

interface FiguresRow {
  readonly settled: number
  readonly delivered: number
  readonly hard_bounced: number
  readonly complained: number
}

function figuresOf({ settled, delivered, hard_bounced: hardBounced, complained }: FiguresRow): Figures {
  return { settled, delivered, hardBounced, complained }
}

const COLUMNS = ['settled', 'delivered', 'hard_bounced', 'complained'] as const
const SUMS = COLUMNS.map((column) => `cast(coalesce(sum(${column}), 0) as bigint) as ${column}`).join(', ')

const count = statement(
  'reputation.count',
  `insert into deliverability (account_id, domain_id, hour, provider, ${COLUMNS.join(', ')})
   values ($1, $2, $3, $4, $5, $6, $7, $8)
   on conflict (account_id, domain_id, hour, provider) do update set
     ${COLUMNS.map((column) => `${column} = deliverability.${column} + excluded.${column}`).join(', ')}`,
)

const touch = statement(
  'reputation.touch',
  `insert into deliverability_standing (domain_id, account_id, changes, seen, problems, looked_at)
   values ($1, $2, 1, 0, '[]', 0)
   on conflict (domain_id) do update set changes = deliverability_standing.changes + 1`,
)

const ofDomain = statement<FiguresRow & { readonly provider: string }>(
  'reputation.of-domain',
  `select provider, ${SUMS} from deliverability where account_id = $1 and domain_id = $2 and hour >= $3
    group by provider`,
)

const ofAccount = statement<FiguresRow>(
  'reputation.of-account',
  `select ${SUMS} from deliverability where account_id = $1 and hour >= $2 and hour < $3`,
)

interface StandingRow extends FiguresRow {
  readonly domain_id: string
  readonly account_id: string
  /** Null for a domain that is gone. */
  readonly name: string | null
  readonly changes: number
  readonly problems: string
  readonly since: number | null
  readonly looked_at: number
}

const CHANGED = 'changes > seen'
const IN_TROUBLE = `problems <> '[]'`

const anyChanged = statement(
  'reputation.any-changed',
  `select domain_id from deliverability_standing where ${CHANGED} and looked_at <= $1 limit 1`,
)
const anyInTrouble = statement(
  'reputation.any-in-trouble',
  `select domain_id from deliverability_standing where ${IN_TROUBLE} and looked_at <= $1 limit 1`,
)
const dueDomains = statement<StandingRow>(
  'reputation.due',
  `select s.domain_id, s.account_id, d.name, s.changes, s.problems, s.since, s.looked_at, ${SUMS}
     from (select * from (select * from deliverability_standing where ${CHANGED} and looked_at <= $1
           union select * from deliverability_standing where ${IN_TROUBLE} and looked_at <= $2) as either
           order by looked_at, domain_id limit $3) as s
       left join domain d on d.id = s.domain_id
       left join deliverability g on g.account_id = s.account_id and g.domain_id = s.domain_id and g.hour >= $4
    group by s.domain_id, s.account_id, d.name, s.changes, s.problems, s.since, s.looked_at`,
)
const takeNote = statement(
  'reputation.take-note',
  `update deliverability_standing set seen = $2, problems = $3, since = $4, looked_at = $5
    where domain_id = $1 and looked_at = $6`,
)
const standing = statement<{ readonly problems: string; readonly since: number | null }>(
  'reputation.standing',
  'select problems, since from deliverability_standing where domain_id = $1 and account_id = $2',
)
const inTroubleOf = statement<{
  readonly domain_id: string
  readonly problems: string
  readonly since: number | null
}>(
  'reputation.in-trouble-of-account',
  `select domain_id, problems, since from deliverability_standing where account_id = $1 and ${IN_TROUBLE}`,
)

const forgetHours = statement('reputation.forget-hours', 'delete from deliverability where hour < $1')
const forgetDomains = statement(
  'reputation.forget-domains',
  `delete from deliverability_standing where not exists (select 1 from domain where domain.id = domain_id)`,
)
