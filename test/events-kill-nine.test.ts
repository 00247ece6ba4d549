import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventDetail } from '#model/event.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { type InstanceDatabase, openEnds, openInstanceDatabase, type Row } from '#test/instance-database.ts'
import { api, forwardRule, rule, SENDER, toMx } from '#test/routing-instance.ts'
import { newDatabase } from '#test/stores.ts'
import { openReceiver } from '#test/webhook-receiver.ts'

/** More with `KILLS=50 npm test`. */
const KILLS = Number(process.env['KILLS'] ?? 3)
const SENDERS = 4
const PATIENCE_MS = 60_000

/** An event as it was when it was committed, whatever became of it since. */
interface Happened {
  readonly id: string
  readonly seq: number
  readonly type: string
  /** What is told in order: of a delivery, or of the message where it is of none. */
  readonly of: string
  readonly detail: EventDetail
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`kill -9 while events are projected, ${KILLS} times: each is in history once, and told in the order of its message (${engine})`, {
    timeout: 20 * 60_000,
  }, async (t) => {
    const url = engine === 'postgres' ? await newDatabase() : undefined
    await using receiver = await openReceiver()
    await using instance = await startInstance({
      POSTHORN_SEND_WAIT_MS: '0',
      // So soon that events of one message wait side by side.
      POSTHORN_RETRY_MS: '20,40',
      POSTHORN_EXPIRE_MS: '120000',
      ...(url !== undefined && { POSTHORN_DATABASE_URL: url }),
    })
    await using database = await openInstanceDatabase(instance, url)
    for (const sql of WITNESS[engine]) await database.run(sql)
    // In the order of its answers: whoever tells two at once cannot know which is first.
    const toWebhook: string[] = []
    receiver.behave(({ eventId }, response) => {
      const answer = () => {
        toWebhook.push(eventId.replaceAll('-', ''))
        response.end()
      }
      // One that takes its time finds out who does not wait for it.
      setTimeout(answer, randomInt(10) === 0 ? 500 : randomInt(20))
    })
    await listen(instance, receiver.port)
    await forwardRule(instance, 'on@yourdomain.com', 'on@dest.example')
    await rule(instance, 'void@yourdomain.com', { type: 'drop' })

    const load = { sent: 0 }
    let between = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const stop = new AbortController()
      const senders = [
        ...Array.from({ length: SENDERS }, () => keepSending(instance, load, stop.signal)),
        keepReceiving(instance, load, stop.signal),
      ]
      // Every other one between the two steps of a batch: what is in history and still in the outbox.
      await sleep(randomInt(200, 900))
      if (kill % 2 === 0) await halfProjected(database)
      await instance.kill()
      stop.abort()
      await Promise.all(senders)
      between += await inBoth(database)
      if (engine === 'postgres') await leasesRunOut(database)
      await instance.restart()
    }
    const waiting = () => openEnds(database)
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(50))
      if (Object.values(await waiting()).every((count) => count === 0)) break
    assert.deepEqual(await waiting(), { deliveries: 0, outbox: 0, toWebhooks: 0, toQueues: 0 })

    const happened = await allThatHappened(database)
    await checkHistory(database, happened)
    assert.deepEqual(await countedBy(instance), countedFrom(happened))
    const ofSending = happened.filter(({ detail }) => !detail.routed)
    const toQueue = await queued(database)
    checkTold('the webhook', toWebhook, happened.filter(isTold))
    checkTold('the queue', toQueue, ofSending.filter(isTold))
    assert.ok(happened.length > KILLS * 10 && ofSending.length < happened.length)
    t.diagnostic(
      `${load.sent} messages, ${happened.length} events, ${between} of them between two steps at a kill; ` +
        `${toWebhook.length - new Set(toWebhook).size} told twice to the webhook, ` +
        `${toQueue.length - new Set(toQueue).size} to the queue`,
    )
  })
}

/** Writes down each event that is committed, out of the reach of the projector, whose last step takes its time: so that
 *  a kill may well come before it. */
const WITNESS = {
  sqlite: [
    'create table test_happened (id text, seq integer, type text, message_id text, delivery_id text, detail text)',
    `create trigger test_witness after insert on event begin
       insert into test_happened values (new.id, new.seq, new.type, new.message_id, new.delivery_id, new.detail); end`,
    'create trigger test_slow before delete on event begin select hex(randomblob(20000)); end',
  ],
  postgres: [
    'create table test_happened (id text, seq bigint, type text, message_id text, delivery_id text, detail text)',
    `create function test_witness() returns trigger language plpgsql as $$ begin
       insert into test_happened values (new.id, new.seq, new.type, new.message_id, new.delivery_id, new.detail);
       return null; end $$`,
    'create trigger test_witness after insert on event for each row execute function test_witness()',
    'create function test_slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.03); return null; end $$',
    'create trigger test_slow before delete on event for each statement execute function test_slow()',
  ],
} as const

/** A webhook and a queue that want to know everything there is. */
async function listen(instance: Instance, port: number): Promise<void> {
  const account = `/accounts/${instance.dev.account_id}`
  await api(instance, 'POST', `${account}/email/webhooks`, { url: `http://localhost:${port}/` })
  const queue = await api<{ queue_id: string }>(instance, 'POST', `${account}/queues`, { queue_name: 'told' })
  await api(instance, 'POST', `${account}/event_subscriptions/subscriptions`, {
    source: { type: 'email.sending', zone_id: instance.dev.zone_id, domain: 'yourdomain.com' },
    destination: { type: 'queues.queue', queue_id: queue.queue_id },
    events: ['delivered', 'deferred', 'bounced', 'failed', 'rejected'].map((word) => `message.${word}`),
  })
}

const KINDS = ['delivered', 'softbounce', 'bounce', 'delivered'] as const

async function keepSending(instance: Instance, load: { sent: number }, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const serial = load.sent++
    const kinds = serial % 5 === 0 ? KINDS : [KINDS[serial % KINDS.length]]
    const to = kinds.map((kind, at) => `${kind}+${serial}-${at}@simulator.posthorn.test`)
    const mail = { from: 'app@yourdomain.com', to, subject: `kill ${serial}`, text: 'x' }
    const answer = await instance.send(mail).catch(() => undefined)
    if (!answer) return
    assert.equal(answer.status, 200)
  }
}

async function keepReceiving(instance: Instance, load: { sent: number }, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const serial = load.sent++
    const name = serial % 2 === 0 ? 'on' : 'void'
    const content = `From: ${SENDER}\nSubject: kill ${serial}\n\nx\n`
    await toMx(instance, { to: `${name}@yourdomain.com`, content }).catch(() => {})
  }
}

async function halfProjected(database: InstanceDatabase): Promise<void> {
  for (const end = Date.now() + 3000; Date.now() < end; await sleep(1)) {
    const [oldest] = await database.all('select id from event order by seq limit 1')
    if (oldest && (await inBoth(database)) > 0) return
  }
}

async function inBoth(database: InstanceDatabase): Promise<number> {
  const waiting = await database.all('select id from event')
  const known = new Set((await database.history('event', 'id')).map(({ id }) => id))
  return waiting.filter(({ id }) => known.has(id)).length
}

/** On PostgreSQL other nodes wait until the dead one's leases have run out. Its clock cannot be set, so they are cut. */
async function leasesRunOut(database: InstanceDatabase): Promise<void> {
  await database.run(`
    update node set heartbeat_at = heartbeat_at - 60000;
    update projector_lease set until_at = until_at - 60000;
    update webhook set leased_until = leased_until - 60000;
    update event_subscription set leased_until = leased_until - 60000`)
}

async function allThatHappened(database: InstanceDatabase): Promise<readonly Happened[]> {
  const rows = await database.all('select * from test_happened order by seq')
  return rows.map((row) => ({
    ...{ id: String(row['id']), seq: Number(row['seq']), type: String(row['type']) },
    of: String(row['delivery_id'] ?? row['message_id']),
    // The event's room wrote it.
    detail: JSON.parse(String(row['detail'])) as EventDetail,
  }))
}

/** The recipients that an event speaks of; none of the service's own mail. */
function recipientsOf({ detail }: Happened): readonly string[] {
  if (detail.routed) return [detail.routed.recipient]
  if ((detail.sender ?? '') === '') return []
  return detail.recipients ?? (detail.recipient === undefined ? [] : [detail.recipient])
}

async function checkHistory(database: InstanceDatabase, happened: readonly Happened[]): Promise<void> {
  const text = (rows: readonly Row[]) => rows.map((row) => Object.values(row).join(' ')).sort()
  assert.deepEqual(
    text(await database.history('event', 'id, type')),
    happened.map(({ id, type }) => `${id} ${type}`).sort(),
    'events in history',
  )
  assert.deepEqual(
    text(await database.history('row', 'event_id, ordinal')),
    happened.flatMap((event) => recipientsOf(event).map((_, at) => `${event.id} ${at}`)).sort(),
    'rows of recipients',
  )
  const rows = await database.history('row', 'delivery_id, is_last')
  const last = Map.groupBy(
    rows.filter((row) => row['delivery_id'] !== ''),
    (row) => row['delivery_id'],
  )
  for (const [delivery, of] of last)
    assert.equal(
      of.filter((row) => Number(row['is_last']) === 1).length,
      1,
      `last events of ${String(delivery)}`,
    )
}

const STATUS: Readonly<Record<string, string>> = {
  ...{ 'sending accepted': 'sent', 'sending delivered': 'delivered', 'sending bounced': 'deliveryFailed' },
  ...{ 'routing delivered': 'forwarded', 'routing dropped': 'dropped' },
  ...{ 'routing bounced': 'deliveryFailed', 'routing rejected': 'rejected' },
}

type Counts = Readonly<Record<string, number>>

function countedFrom(happened: readonly Happened[]): Counts {
  const counts: Record<string, number> = {}
  for (const event of happened) {
    const dataset = event.detail.routed ? 'routing' : 'sending'
    const status = STATUS[`${dataset} ${event.type}`]
    for (const _ of status === undefined ? [] : recipientsOf(event)) {
      const key = `${dataset} ${status}`
      counts[key] = (counts[key] ?? 0) + 1
    }
  }
  return counts
}

/** What the API says. */
async function countedBy({ dev }: Instance): Promise<Counts> {
  const groups = `(filter: { date_geq: "${new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)}" }, limit: 100)
    { count dimensions { status } }`
  const response = await fetch(`${dev.api}/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${dev.api_token}` },
    body: JSON.stringify({
      query: `{ viewer { zones(filter: { zoneTag: "${dev.zone_id}" }) {
        sending: emailSendingAdaptiveGroups${groups} routing: emailRoutingAdaptiveGroups${groups} } } }`,
    }),
  })
  const { data } = JSON.parse(await response.text())
  const [zone]: readonly Record<string, { count: number; dimensions: { status: string } }[]>[] =
    data.viewer.zones
  return Object.fromEntries(
    Object.entries(zone ?? {}).flatMap(([dataset, found]) =>
      found.map(({ count, dimensions }) => [`${dataset} ${dimensions.status}`, count]),
    ),
  )
}

function isTold({ type, detail }: Happened): boolean {
  return type !== 'accepted' && (detail.routed !== undefined || (detail.sender ?? '') !== '')
}

async function queued(database: InstanceDatabase): Promise<readonly string[]> {
  const rows = await database.all('select body from queue_message order by due_at, ordinal, id')
  return rows.map(({ body }) => {
    assert.ok(body instanceof Uint8Array)
    return String(JSON.parse(Buffer.from(body).toString()).payload.eventId).replaceAll('-', '')
  })
}

/** Each at least once, and what happened first was told first. */
function checkTold(who: string, told: readonly string[], wanted: readonly Happened[]): void {
  const firsts = new Map(told.toReversed().map((id, at) => [id, told.length - 1 - at]))
  const ids = new Set(wanted.map(({ id }) => id))
  assert.deepEqual(
    wanted.filter(({ id }) => !firsts.has(id)).map(({ type, id }) => `${type} ${id}`),
    [],
    `${who} was not told`,
  )
  assert.deepEqual(
    told.filter((id) => !ids.has(id)),
    [],
    `${who} was told what did not happen`,
  )
  for (const [of, events] of Map.groupBy(wanted, (event) => event.of)) {
    const places = events.map(({ id }) => firsts.get(id) ?? -1)
    assert.deepEqual(
      places,
      places.toSorted((one, other) => one - other),
      `${who}, in order about ${of}`,
    )
  }
}
