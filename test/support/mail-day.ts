import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { DeliveryBody, MessageBody } from '#contract/messages.ts'
import type { Instance } from './instance.ts'
import { askAccount } from './operator.ts'
import { api, rule, SENDER, toMx, verifiedAddress } from './routing-instance.ts'
import type { Sink } from './sink.ts'
import { submitRaw } from './submit-raw.ts'

/** A random day of a domain's mail: what is sent over REST and submission, and what comes in at the MX. It is counted
 *  at the sink and from what the doors answered, by rules of this file alone. */

/** To the sink by what it does with it, to the simulator, to the domain itself, or to who is suppressed: on the list, or
 *  since an earlier message was refused as `gone`. */
const SENT_TO = [
  ...(['ok', 'ok', 'gone', 'policy', 'later', 'never', 'listed', 'again'] as const),
  ...(['simulated', 'bounce', 'refused', 'late-bounce', 'own', 'own-drop', 'own-nobody'] as const),
]
/** What submission does not tell, nobody counts. */
const UNTOLD: ReadonlySet<string> = new Set(SENT_TO.slice(8))
const ARRIVES_FOR = ['ok', 'gone', 'later', 'drop', 'nobody'] as const

const partsOf = <T>(of: readonly T[], maxLength: number) =>
  fc.array(fc.constantFrom(...of), { minLength: 1, maxLength })
const post = fc.oneof(
  { weight: 3, arbitrary: fc.record({ door: fc.constant('rest' as const), to: partsOf(SENT_TO, 3) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      door: fc.constant('smtp' as const),
      to: partsOf(
        SENT_TO.filter((part) => !UNTOLD.has(part)),
        3,
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      door: fc.constant('mx' as const),
      proven: fc.integer({ min: 0, max: 4 }).map((one) => one > 0),
      to: partsOf(ARRIVES_FOR, 3),
    }),
  },
)
type Post = (typeof post extends fc.Arbitrary<infer P> ? P : never) & { readonly to: readonly string[] }
export type MailDay = readonly Post[]
export const mailDay: fc.Arbitrary<MailDay> = fc.array(post, { minLength: 25, maxLength: 40, size: 'max' })

/** Of a day in a zone: how often an address (`envelopeTo`) has a status, and why. */
export interface Tally {
  readonly sending: Readonly<Record<string, number>>
  readonly routing: Readonly<Record<string, number>>
  /** Last events, by recipient of what was sent. */
  readonly last: Readonly<Record<string, number>>
  /** The names of the day's rules, by their ids. */
  readonly rules: ReadonlyMap<string, string>
}

const ABREAST = 6

export async function spendDay(instance: Instance, zone: Zone, day: MailDay): Promise<Tally> {
  const count = openCount()
  const rules = await setUp(instance, zone)
  const never: string[] = []
  for (let at = 0; at < day.length; at += ABREAST) {
    const gone = goneBefore(day.slice(0, at), zone)
    await Promise.all(
      day.slice(at, at + ABREAST).map((each, index) => {
        const serial = at + index
        if (each.door === 'mx')
          return receive(instance, { serial, to: each.to, zone, proven: each.proven, count: count.routing })
        const to = each.to.map((part, place) => addressOf(part, [serial, place], zone, gone))
        const sending = { serial, to: [...new Set(to)], zone, never, suppressed: new Set(gone), count }
        return each.door === 'rest' ? sendRest(instance, sending) : sendSmtp(instance, sending)
      }),
    )
  }
  for (const path of never) await cancel(instance, path, count)
  return { ...count, rules }
}

/** What the sink counted of it, once nothing is on its way any more. */
export function withSink(tally: Tally, { taken, refused }: Sink, zone: Zone): Tally {
  const count = openCount(tally)
  const own = (address: string) => address.endsWith(`@${zone.away}`)
  for (const [to, times] of [...taken].filter(([to]) => own(to))) {
    const rule = zone.ruleTo(to)
    if (rule) addForwards(count.routing, `${rule} forwarded`, times)
    else add(count.sending, `${to} delivered`, times)
  }
  for (const [to, times] of [...refused].filter(([to]) => own(to))) {
    const rule = zone.ruleTo(to)
    const cause = to.startsWith('gone-') ? 'recipient-unknown' : 'policy'
    if (rule) addForwards(count.routing, `${rule} deliveryFailed`, times)
    else add(count.sending, `${to} deliveryFailed ${cause}`, times)
  }
  return { ...tally, ...count }
}

/** All but the one mail that asked whether the destination wants any. */
function addForwards(counts: Counts, key: string, times: number): void {
  if (times > 1) add(counts, key, times - 1)
}

export type Zone = ReturnType<typeof zoneOf>

export function zoneOf(name: string, id: string) {
  const away = `to-${name}`
  const forwards = new Map([
    ...(['ok', 'gone', 'later'] as const).map(
      (kind) => [`${kind}-forward@${away}`, `${kind}@${name}`] as const,
    ),
    // Notices of what a submitted message met.
    [`ok-sender@${away}`, `app@${name}`],
  ])
  return { name, id, away, forwards, ruleTo: (destination: string) => forwards.get(destination) }
}

async function setUp(instance: Instance, zone: Zone): Promise<ReadonlyMap<string, string>> {
  const rules = new Map<string, string>()
  const of = { dev: { ...instance.dev, zone_id: zone.id } }
  for (const [destination, address] of zone.forwards) {
    await verifiedAddress(of, destination)
    rules.set(await rule(of, address, { type: 'forward', value: [destination] }), address)
  }
  rules.set(await rule(of, `drop@${zone.name}`, { type: 'drop' }), `drop@${zone.name}`)
  await api(instance, 'POST', `/accounts/${instance.dev.account_id}/email/sending/suppressions`, {
    email: `listed@${zone.away}`,
  })
  return rules
}

function addressOf(
  part: string,
  [serial, place]: readonly [number, number],
  { name, away }: Zone,
  gone: readonly string[],
): string {
  const unique = `${serial}-${place}`
  switch (part) {
    case 'listed':
      return `listed@${away}`
    case 'again':
      return gone[serial % gone.length] ?? `ok-${unique}@${away}`
    case 'simulated':
      return `delivered+${name}-${unique}@simulator.posthorn.test`
    case 'refused':
      return `policy+${name}-${unique}@simulator.posthorn.test`
    case 'bounce':
    case 'late-bounce':
      return `${part}+${name}-${unique}@simulator.posthorn.test`
    case 'own':
      return `ok@${name}`
    case 'own-drop':
      return `drop@${name}`
    case 'own-nobody':
      return `nobody-${unique}@${name}`
    default:
      return `${part}-${unique}@${away}`
  }
}

/** Addresses that a request was told of as bouncing, in their order. */
function goneBefore(day: MailDay, zone: Zone): readonly string[] {
  const isSuppressed = (part: string) => part === 'listed' || part === 'again'
  return day.flatMap(({ door, to }, serial) =>
    door !== 'rest' || to.some(isSuppressed)
      ? []
      : to.flatMap((part, place) => (part === 'gone' ? [addressOf(part, [serial, place], zone, [])] : [])),
  )
}

type Counts = Record<string, number>
interface Count {
  readonly sending: Counts
  readonly routing: Counts
  readonly last: Counts
}

function openCount(of?: Tally): Count {
  return { sending: { ...of?.sending }, routing: { ...of?.routing }, last: { ...of?.last } }
}

function add(counts: Counts, key: string, times = 1): void {
  counts[key] = (counts[key] ?? 0) + times
}

interface Sending {
  readonly serial: number
  readonly to: readonly string[]
  readonly zone: Zone
  readonly suppressed: ReadonlySet<string>
  /** Paths of messages to who is put off for ever. */
  readonly never: string[]
  readonly count: Count
}

const isSuppressed = (address: string, { suppressed }: Sending) =>
  address.startsWith('listed@') || suppressed.has(address)

function countAccepted(address: string, { count }: Sending): void {
  add(count.sending, `${address} sent`)
  add(count.last, address)
}

function countRejected(address: string, { count }: Sending): void {
  add(count.sending, `${address} rejected suppressed`)
  add(count.last, address)
}

const SIMULATED: Readonly<Record<string, string>> = {
  delivered: 'delivered',
  bounce: 'deliveryFailed recipient-unknown',
  policy: 'deliveryFailed policy',
  'late-bounce': 'delivered',
}

async function sendRest(instance: Instance, sending: Sending): Promise<void> {
  const { serial, to, zone, count, never } = sending
  const mail = { from: `app@${zone.name}`, to: [...to], subject: `Day ${serial}`, text: 'x' }
  const { status, body } = await instance.send(mail)
  const barred = to.filter((address) => isSuppressed(address, sending))
  assert.equal(status, barred.length > 0 ? 400 : 200, JSON.stringify(body))
  for (const address of barred) countRejected(address, sending)
  if (barred.length > 0) return
  const { delivered, permanent_bounces: bounced, queued, message_id: id } = body.result ?? assert.fail()
  for (const address of to) {
    countAccepted(address, sending)
    const [name = ''] = address.split(/[+@]|-\d/)
    const isSimulated = address.endsWith('@simulator.posthorn.test')
    const isOwn = address.endsWith(`@${zone.name}`)
    const end = isSimulated ? SIMULATED[name] : OWN_ENDS[name]
    const said = delivered.includes(address) ? 'delivered' : bounced.includes(address) ? 'bounced' : 'queued'
    if (!isSimulated && !isOwn) {
      assert.equal(said, SAID[name], address)
      continue
    }
    assert.equal(said, end === 'delivered' ? 'delivered' : 'bounced', address)
    add(count.sending, `${address} ${end}`)
    if (name === 'late-bounce') add(count.sending, `${address} deliveryFailed recipient-unknown`)
    if (name === 'drop') add(count.routing, `${address} dropped`)
    if (name === 'nobody') add(count.routing, `${address} rejected`)
  }
  assert.equal(queued.length + delivered.length + bounced.length, to.length)
  if (to.some((address) => address.startsWith('never-'))) never.push(`/messages/${encodeURIComponent(id)}`)
}

/** What a request says of each, where the sink is asked meanwhile. */
const SAID: Readonly<Record<string, string>> = {
  ...{ ok: 'delivered', gone: 'bounced', policy: 'bounced', later: 'queued', never: 'queued' },
}
const OWN_ENDS: Readonly<Record<string, string>> = {
  ...{ ok: 'delivered', drop: 'delivered', nobody: 'deliveryFailed recipient-unknown' },
}

async function sendSmtp(instance: Instance, sending: Sending): Promise<void> {
  const { serial, to, zone, never } = sending
  const from = `app@${zone.name}`
  const content = `From: ${from}\r\nTo: ${to.join(', ')}\r\nSubject: Day ${serial}\r\n\r\nx\r\n`
  const reply = await submitRaw(instance.dev, { from, to, content })
  const [, id] = /^250 2\.0\.0 Ok (<.*>)$/.exec(reply) ?? []
  assert.ok(id !== undefined, reply)
  for (const address of to) (isSuppressed(address, sending) ? countRejected : countAccepted)(address, sending)
  if (to.some((address) => address.startsWith('never-'))) never.push(`/messages/${encodeURIComponent(id)}`)
}

async function receive(
  instance: Instance,
  arriving: {
    readonly serial: number
    readonly to: readonly string[]
    readonly zone: Zone
    readonly proven: boolean
    readonly count: Counts
  },
): Promise<void> {
  const { serial, zone, proven, count } = arriving
  // Only a sender that is proven may have several.
  const to = (proven ? arriving.to : arriving.to.slice(0, 1)).map((part, place) =>
    part === 'nobody' ? `nobody-${serial}-${place}@${zone.name}` : `${part}@${zone.name}`,
  )
  const from = proven ? SENDER : 'someone@stranger.example'
  const content = `From: ${from}\nSubject: Day ${serial}\nMessage-ID: <${serial}@pass.posthorn.test>\n\nx\n`
  const rcpt = [...new Set(to)]
  const said = await toMx(instance, { from, to: rcpt, content })
  for (const address of rcpt.filter((one) => one.startsWith('nobody-'))) add(count, `${address} rejected`)
  const taken = rcpt.filter((address) => !address.startsWith('nobody-'))
  const reply = said.split('; ').at(-1) ?? ''
  if (taken.length === 0) return assert.match(reply, /^550 5\.1\.1 /)
  if (!proven) {
    assert.match(reply, /^550 5\.7\.26 /)
    for (const address of taken) add(count, `${address} rejected`)
    return
  }
  const isGone = taken.every((address) => address.startsWith('gone@'))
  assert.match(reply, isGone ? /^550 5\.1\.1 / : /^250 2\.0\.0 Ok/)
  if (taken.includes(`drop@${zone.name}`)) add(count, `drop@${zone.name} dropped`)
}

/** What waits for ever is taken back. */
async function cancel(instance: Instance, path: string, { sending }: Count): Promise<void> {
  const { result } = await askAccount<MessageBody>(instance, 'GET', `${path}/deliveries`)
  for (const { id, to } of result.deliveries.filter((one) => one.to.startsWith('never-'))) {
    for (const end = Date.now() + 10_000; ; ) {
      const { status, result } = await askAccount<DeliveryBody>(instance, 'POST', `/deliveries/${id}/cancel`)
      if (status === 200 && result.state === 'dropped') break
      // It is being tried at this moment.
      assert.ok(Date.now() < end, `${to}: ${status}`)
    }
    add(sending, `${to} failed cancelled`)
  }
}
