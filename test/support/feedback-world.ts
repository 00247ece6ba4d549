import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { type Authenticator, openAuthenticator } from '#inbound/authenticate/authenticator.ts'
import type { CameBack, Taken } from '#inbound/feedback/came-back.ts'
import { type Feedback, openFeedback } from '#inbound/feedback/feedback.ts'
import type { FeedbackAddress } from '#inbound/feedback/returned-to.ts'
import type { ComplaintWorld } from '#inbound/feedback/take-complaint.ts'
import type { Address } from '#model/address.ts'
import type { Resolver } from '#net/resolver.ts'
import { openLog } from '#observe/log.ts'
import { signMessage } from '#outbound/compose/sign-message.ts'
import { encodeReturnPath } from '#protocol/return-path.ts'
import { type Store, statement } from '#store/store.ts'
import { type EventSeen, eventsIn, HandEngine, type Outbound, openOutbound, orderOf } from './outbound.ts'

export const RETURN_KEY = { version: 1, key: Buffer.alloc(32, 1) }
export const FEEDBACK_KEY = { version: 1, key: Buffer.alloc(32, 2) }
export const PROVIDER_IP = '192.0.2.1'

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
const PUBLIC = pair.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')

export interface Sent {
  readonly deliveryId: string
  readonly messageId: string
  readonly returnPath: Address
}

export interface SuppressionSeen {
  readonly account_id: string
  readonly email: string
  readonly reason: string
  readonly expires_at: number | null
}

export interface FeedbackWorld extends Outbound {
  readonly engine: HandEngine
  readonly feedback: Feedback
  /** One message, a delivery for each recipient; claimed, unless `delivered` settles them. */
  promise(recipients: readonly string[], how?: { accountId?: string; domain?: string }): Promise<Sent[]>
  /** One message to one recipient that was delivered. */
  delivered(recipient: string, how?: { accountId?: string; domain?: string }): Promise<Sent>
  /** Mail to an address, which must be one of ours. */
  comesBack(address: string, content: Buffer, more?: Partial<Omit<CameBack, 'content'>>): Promise<Taken>
  /** Reports of every delivery, as events. */
  reports(): Promise<EventSeen[]>
  suppressions(): Promise<SuppressionSeen[]>
}

/** Everything between a promise and a report, over a real store; DNS and the time are the test's. */
export async function openFeedbackWorld(
  { store, directory }: { readonly store: Store; readonly directory: string },
  options: Partial<ComplaintWorld> = {},
): Promise<FeedbackWorld> {
  const engine = new HandEngine()
  const outbound = await openOutbound(store, directory, { engine })
  // The tests settle by themselves.
  await outbound.queue.stop()
  const authenticator: Authenticator = openAuthenticator({ resolver: providerZone(), threads: 1 })
  const feedback = openFeedback({
    store,
    notices: outbound.notices,
    log: openLog('silent'),
    now: Date.now,
    authenticator,
    returnPathKeys: [RETURN_KEY],
    feedbackKeys: [FEEDBACK_KEY],
    serviceDomain: 'email.posthorn.test',
    isReturnPathDomain: async (name) =>
      ['cf-bounce.yourdomain.com', 'cf-bounce.other.example', 'email.posthorn.test'].includes(name),
    ...options,
  })

  async function promise(
    recipients: readonly string[],
    { accountId, domain = 'yourdomain.com' }: { accountId?: string; domain?: string } = {},
  ): Promise<Sent[]> {
    const order = orderOf(recipients)
    const returnPathDomain = `cf-bounce.${domain}`
    const message = { ...order.message, returnPathDomain, ...(accountId && { accountId }) }
    assert.deepEqual(await outbound.queue.promise({ ...order, message }), { ok: true })
    return order.recipients.map(({ deliveryId }) => ({
      deliveryId,
      messageId: message.id,
      returnPath: `${encodeReturnPath(deliveryId, RETURN_KEY)}@${returnPathDomain}` as Address,
    }))
  }

  return {
    ...outbound,
    engine,
    feedback,
    promise,
    async delivered(recipient, how) {
      const [sent] = await promise([recipient], how)
      assert.ok(sent)
      await outbound.outcome.delivered(engine.next(), { host: 'mx.remote.example', reply: '250 Ok' })
      return sent
    },
    async comesBack(address, content, more = {}) {
      const to = await feedback.whoIs(address as Address)
      assert.ok(isOpen(to), `${address} is ${to?.kind}`)
      const session = { remoteAddress: '192.0.2.99', helo: 'mail.remote.example', mailFrom: '' }
      return feedback.take({ to, content: { kind: 'memory', bytes: content }, ...session, ...more })
    },
    reports: async () =>
      (await eventsIn(store)).filter(({ type, terminal }) => isReport(type) && terminal === 0),
    suppressions: () => store.all(allSuppressions, []),
    async [Symbol.asyncDispose]() {
      await authenticator.close()
      await outbound[Symbol.asyncDispose]()
    },
  }
}

const isReport = (type: string) => type === 'bounced' || type === 'complained'

function isOpen(to: Awaited<ReturnType<Feedback['whoIs']>>): to is FeedbackAddress {
  return to?.kind === 'return-path' || to?.kind === 'complaints'
}

const allSuppressions = statement<SuppressionSeen>(
  'test.suppressions',
  'select account_id, email, reason, expires_at from suppression order by email',
)

/** As `domain` would sign it; the zone knows the key of `provider.example` alone. */
export function signedBy(domain: string, content: Buffer): Promise<Buffer> {
  return signMessage(content, { domain, selector: 's1', key: pair.privateKey }, new Date())
}

/** `provider.example` signs and has an SPF record; the DNS of `broken.example` does not answer. */
function providerZone(): Resolver {
  const texts: Record<string, string> = {
    's1._domainkey.provider.example': `v=DKIM1; p=${PUBLIC}`,
    'provider.example': `v=spf1 ip4:${PROVIDER_IP} -all`,
  }
  return {
    txt: async (name) => {
      if (name.endsWith('broken.example')) return { kind: 'temporary-failure', detail: 'ESERVFAIL' }
      const text = texts[name]
      return text === undefined ? { kind: 'no-such-name' } : { kind: 'found', records: [text] }
    },
    mx: async () => ({ kind: 'no-such-name' }),
    addresses: async () => ({ kind: 'no-such-name' }),
  }
}
