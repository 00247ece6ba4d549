import assert from 'node:assert/strict'
import type { Address } from '#model/address.ts'
import type { SendEmailRestriction } from '#model/worker.ts'
import { type Log, openLog } from '#observe/log.ts'
import { openAcceptor } from '#outbound/accept/accept.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { openQuota, type Quota } from '#registry/quota/quota.ts'
import { type Destinations, openDestinations } from '#registry/routes/destinations.ts'
import { openSuppressions, type Suppressions } from '#registry/suppressions/suppressions.ts'
import type { Store } from '#store/store.ts'
import type { Reply } from '#workers/binding/send-email.ts'
import { openSendEmail } from '#workers/binding/send-email.ts'
import type { HostError, MadeMessage, OutgoingMessage } from '#workers/runtime/host-services.ts'
import { type DeliveryWorld, type DeliveryWorldOptions, openDeliveryWorld } from './delivery-world.ts'
import { ACCOUNT, onboard } from './outbound.ts'

export type Made = MadeMessage | HostError

/** The `send_email` binding over everything that is below it, the delivery engine and its sockets included.
 *  `one.example` sends to anyone, `routed.example` is set up for routing only. */
export interface BindingWorld extends Omit<DeliveryWorld, 'send'> {
  readonly destinations: Destinations
  readonly suppressions: Suppressions
  readonly quota: Quota
  /** By a binding named EMAIL. */
  send(message: OutgoingMessage, restriction?: SendEmailRestriction): Promise<Made>
  build(fields: object, restriction?: SendEmailRestriction): Promise<Made>
  reply(more: Pick<Reply, 'from' | 'submission' | 'repeatKey'>): Promise<Made>
}

export async function openBindingWorld(
  at: { readonly store: Store; readonly directory: string },
  {
    mostAtOnce,
    log = openLog('silent'),
    ...options
  }: DeliveryWorldOptions & { readonly mostAtOnce?: number; readonly log?: Log } = {},
): Promise<BindingWorld> {
  const { store } = at
  const clock = Date.now
  const world = await openDeliveryWorld(at, options)
  const destinations = openDestinations({ store, clock })
  const suppressions = openSuppressions({ store, clock })
  const quota = openQuota({ store })
  await world.domains.ensureServiceKeys()
  await onboard(world.domains, 'one.example')
  const routed = await world.domains.createZone(ACCOUNT, 'routed.example', { active: true })
  assert.ok(routed.kind === 'created', routed.kind)
  await world.domains.onboardRouting({
    ...{ accountId: ACCOUNT, zoneId: routed.zone.id, name: 'routed.example', active: true },
  })
  const acceptor = openAcceptor({
    ...{ store, queue: world.queue, domains: world.domains, destinations, suppressions, quota },
    host: 'posthorn.test',
    expireMs: 60_000,
    feedbackTag: (id) => id,
    alwaysSuppressed: () => false,
    now: clock,
  })
  const { sendEmail, sendReply } = openSendEmail({
    ...{ acceptor, accounts: openAccounts({ store, clock }), waitMs: 3000, log },
    ...(mostAtOnce !== undefined && { mostAtOnce }),
  })
  const worker = { accountId: ACCOUNT, scriptName: 'mailer' }
  const send: BindingWorld['send'] = (message, restriction = {}) =>
    sendEmail(worker, { name: 'EMAIL', type: 'send_email', ...restriction }, message)
  return {
    ...world,
    ...{ destinations, suppressions, quota, send },
    build: (fields, restriction) => send({ kind: 'builder', fields }, restriction),
    reply: (more) => sendReply({ ...worker, ...more }),
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  }
}

export async function suppress(world: BindingWorld, email: string): Promise<void> {
  await world.suppressions.addManual(ACCOUNT, { email: email as Address, expiresAt: null, note: null })
}

/** The code that is thrown, or '' for what was sent. */
export function codeOf(made: Made): string {
  return 'code' in made ? made.code : ''
}
