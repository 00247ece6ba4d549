import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { checkedFetch } from '#test/checked-fetch.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { type InstanceDatabase, openEnds, openInstanceDatabase } from '#test/instance-database.ts'
import { type MailDay, mailDay, spendDay, type Tally, withSink, type Zone, zoneOf } from '#test/mail-day.ts'
import { PAGE_QUERIES } from '#test/page-queries.ts'
import { api } from '#test/routing-instance.ts'
import { type Sink, startSink } from '#test/sink.ts'
import { newDatabase } from '#test/stores.ts'

/** Days that are tried; more with `RUNS=30 npm test`. Each has a zone of its own. */
const DAYS = Number(process.env['RUNS'] ?? 2)
const PATIENCE_MS = 20_000

interface Side {
  readonly instance: Instance
  readonly database: InstanceDatabase
  readonly sink: Sink
  readonly zones: readonly Zone[]
}

async function openSide(url: string | undefined, opened: AsyncDisposableStack): Promise<Side> {
  const sink = opened.use(await startSink())
  const environment = {
    POSTHORN_DEV_ZONES: Array.from({ length: DAYS }, (_, day) => `day${day}.example`).join(','),
    POSTHORN_DEV_SINK: `127.0.0.1:${sink.port}`,
    // What is put off once comes soon, and what is put off for ever then waits to be taken back.
    POSTHORN_RETRY_MS: '150,150,60000',
    ...(url !== undefined && { POSTHORN_DATABASE_URL: url }),
  }
  const instance = opened.use(await startInstance(environment))
  const database = opened.use(await openInstanceDatabase(instance, url))
  const found = await api<readonly { id: string; name: string }[]>(instance, 'GET', '/zones')
  for (const { id } of found) await lookAtDns(instance, id)
  return { instance, database, sink, zones: found.map(({ id, name }) => zoneOf(name, id)) }
}

/** What the last look at DNS said is in each row of sent mail; the first comes by itself a minute after the start. */
async function lookAtDns(instance: Instance, zoneId: string): Promise<void> {
  const domains = `/zones/${zoneId}/email/sending/subdomains`
  for (const { tag } of await api<readonly { tag: string }[]>(instance, 'GET', domains))
    await api(instance, 'GET', `${domains}/${tag}/dns/status`)
}

test(`a random day of mail, ${DAYS} times: the page's queries count what the sink counted, on both engines alike`, {
  timeout: 20 * 60_000,
}, async (t) => {
  await using opened = new AsyncDisposableStack()
  const sides = [await openSide(undefined, opened), await openSide(await newDatabase(), opened)]
  let days = 0
  let events = 0
  await fc.assert(
    fc.asyncProperty(mailDay, async (day) => {
      const name = `day${days++}.example`
      const [sqlite, postgres] = await Promise.all(sides.map((side) => liveThrough(side, name, day)))
      assert.deepEqual(postgres, sqlite)
      events += sqlite?.['RecentEmailEvents']?.length ?? 0
    }),
    // A day that failed has used its zone up.
    { numRuns: DAYS, endOnFailure: true },
  )
  t.diagnostic(`${events} events of what was sent`)
})

/** Out: what each query of the page answers, but for what differs by its nature. */
async function liveThrough({ instance, database, sink, zones }: Side, name: string, day: MailDay) {
  const zone = zones.find((each) => each.name === name) ?? assert.fail(name)
  const told = await spendDay(instance, zone, day)
  await until(async () => Object.values(await openEnds(database)).every((count) => count === 0))
  // A report that comes back by mail is in no table before it is there.
  await until(async () => {
    const { sending, routing } = withSink(told, sink, zone)
    const counted = (await ask(instance, zone, COUNT_ALL)).map(({ count = 0 }) => ['', count] as const)
    return totalOf(summed(counted)) >= totalOf(sending) + totalOf(routing)
  })
  const tally = withSink(told, sink, zone)
  const answers = await askPage(instance, zone)
  checkPage(answers, tally, zone)
  await checkRecipients(instance, zone, tally)
  return comparable(answers, tally)
}

type Answers = Readonly<Record<string, readonly Answered[]>>

/** The page's queries as they are printed; of those that end after 50, whose place among the times of both engines
 *  differs, all there is besides. */
async function askPage(instance: Instance, zone: Zone): Promise<Answers> {
  const answers: Record<string, readonly Answered[]> = {}
  for (const { query } of PAGE_QUERIES) {
    const [, title = ''] = /^query (\w+)/.exec(query) ?? []
    const printed = await ask(instance, zone, query)
    const whole = await ask(instance, zone, query.replace('limit: 50', 'limit: 10000'))
    assert.deepEqual(printed, query.includes('limit: 50') ? whole.slice(0, 50) : whole, title)
    answers[title] = whole
  }
  return answers
}

interface Answered {
  readonly count?: number
  readonly dimensions?: Readonly<Record<string, unknown>>
  readonly [field: string]: unknown
}

async function ask({ dev }: Instance, zone: Zone, query: string): Promise<readonly Answered[]> {
  const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString()
  const whole = (moment: string) =>
    query.includes('$start: Date!') ? moment.slice(0, 10) : moment.replace(/\.\d+/, '')
  const variables = { zoneTag: zone.id, start: whole(day(-1)), end: whole(day(1)) }
  const response = await checkedFetch(`${dev.api}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${dev.api_token}` },
    body: JSON.stringify({ query, variables }),
  })
  const { data, errors } = JSON.parse(await response.text())
  assert.equal(errors, null, JSON.stringify(errors))
  const [found]: readonly Record<string, readonly Answered[]>[] = data.viewer.zones
  return Object.values(found ?? {}).flat()
}

const asked = (fields: string) =>
  `query ($zoneTag: string!, $start: Date!, $end: Date!) { viewer { zones(filter: { zoneTag: $zoneTag }) { ${fields} } } }`
const DAYS_ASKED = 'filter: { date_geq: $start, date_leq: $end }'
const COUNT_ALL = asked(`sent: emailSendingAdaptiveGroups(${DAYS_ASKED}, limit: 1) { count }
  routed: emailRoutingAdaptiveGroups(${DAYS_ASKED}, limit: 1) { count }`)
const BY_RECIPIENT = asked(`emailSendingAdaptiveGroups(${DAYS_ASKED}, limit: 10000)
  { count dimensions { envelopeTo status errorCause isLastEvent } }`)

type Counts = Readonly<Record<string, number>>

const totalOf = (counts: Counts) => Object.values(counts).reduce((all, count) => all + count, 0)

/** Sums by key, apart from the order of the keys. */
function summed(entries: Iterable<readonly [key: string, count: number]>): Counts {
  const counts: Record<string, number> = {}
  for (const [key, count] of entries) counts[key] = (counts[key] ?? 0) + count
  return counts
}

const words = (...all: readonly unknown[]) => all.filter((word) => word !== '').join(' ')

/** Every recipient. */
async function checkRecipients(instance: Instance, zone: Zone, { sending, last }: Tally): Promise<void> {
  const groups = await ask(instance, zone, BY_RECIPIENT)
  const counted = groups.map(({ count = 0, dimensions: by = {} }) => ({ count, by }))
  assert.deepEqual(
    summed(counted.map(({ count, by }) => [words(by['envelopeTo'], by['status'], by['errorCause']), count])),
    sending,
  )
  const lasts = counted.filter(({ by }) => by['isLastEvent'] === 1)
  assert.deepEqual(summed(lasts.map(({ count, by }) => [String(by['envelopeTo']), count])), last)
}

/** What the page's queries say, against the tally. */
function checkPage(answers: Answers, { sending, routing, rules }: Tally, { name }: Zone): void {
  const events = (title: string) => answers[title] ?? assert.fail(title)
  assert.deepEqual(
    summed(
      events('RecentEmailEvents').map(({ to, status, errorCause }) => [words(to, status, errorCause), 1]),
    ),
    sending,
  )
  assert.deepEqual(
    summed(events('RecentRoutingEvents').map(({ to, status }) => [words(to, status), 1])),
    routing,
  )
  const by = (counts: Counts, choose: (word: readonly string[]) => string | undefined) =>
    summed(
      Object.entries(counts).flatMap(([key, count]) => {
        const chosen = choose(key.split(' '))
        return chosen === undefined ? [] : [[chosen, count] as const]
      }),
    )
  const status = ([, word = '']: readonly string[]) => word
  const group = (title: string) =>
    summed(
      (answers[title] ?? assert.fail(title)).map(({ count = 0, dimensions = {} }) => {
        const { date: _, datetimeHour: __, ruleMatched, ...rest } = dimensions
        const rule = typeof ruleMatched === 'string' ? [rules.get(ruleMatched) ?? '-'] : []
        return [words(...rule, ...Object.values(rest)), count]
      }),
    )
  assert.deepEqual(group('EmailSendingByStatus'), by(sending, status))
  assert.deepEqual(group('EmailSendingHourlyVolume'), by(sending, status))
  assert.deepEqual(
    group('EmailDeliveryFailures'),
    by(sending, ([, word, cause]) => (word === 'deliveryFailed' ? words(cause, name) : undefined)),
  )
  assert.deepEqual(group('EmailRoutingByStatus'), by(routing, status))
  const actions = by(routing, ([to = '']) => {
    if (to.startsWith('nobody-')) return '- none'
    return words(to, to.startsWith('drop@') ? 'drop' : 'forward')
  })
  assert.deepEqual(group('EmailRoutingRuleActivity'), actions)
}

/** Without what differs by its nature: times, and ids that are drawn. */
function comparable(answers: Answers, { rules }: Tally): Readonly<Record<string, readonly string[]>> {
  const replaced = (key: string, value: unknown) => {
    if (/^(?:date|datetime|datetimeHour|messageId)$/.test(key)) return key
    if (key === 'ruleMatched') return rules.get(String(value))
    return key === 'from' ? String(value).replace(/^[a-z2-7]+@cf-bounce\./, 'tag@cf-bounce.') : value
  }
  return Object.fromEntries(
    Object.entries(answers).map(([title, rows]) => {
      const texts = rows.map(({ count, ...rest }) => [JSON.stringify(rest, replaced), count ?? 1] as const)
      return [
        title,
        Object.entries(summed(texts))
          .map(([text, count]) => `${count} ${text}`)
          .sort(),
      ]
    }),
  )
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(30)) if (await holds()) return
}
