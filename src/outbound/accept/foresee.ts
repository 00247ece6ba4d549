import { foldAddress } from '#model/address.ts'
import type { Refusal } from '#model/refusal.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { Principal } from '#registry/accounts/accounts.ts'
import type { Suppression } from '#registry/suppressions/suppressions.ts'
import type { AcceptWorld } from './accept-world.ts'
import { overQuota } from './over-quota.ts'
import { type FitSender, findSender, refuseUnverified } from './refuse-sender.ts'

/** One thing that must hold for a message to be sent. */
export interface ForeseenCheck {
  readonly check: 'recipient' | 'sender' | 'destination' | 'suppression' | 'quota'
  /** Null where a check before it leaves nothing to ask. */
  readonly passed: boolean | null
  readonly detail: string
  readonly suppression?: Suppression
  readonly quota?: { readonly used: number; readonly limit: number | null }
}

export interface Foreseen {
  readonly checks: readonly ForeseenCheck[]
  /** What sending would be refused with. */
  readonly refusal?: Refusal
}

export interface Question {
  readonly recipient: string
  readonly from: string
}

export type Foresee = (question: Question, by: Principal) => Promise<Foreseen>

type World = Pick<
  AcceptWorld,
  'domains' | 'destinations' | 'suppressions' | 'quota' | 'alwaysSuppressed' | 'now'
>

/** What would become of a message: the questions that `promiseMessage` asks about addresses, in its order, each with
 *  its answer; nothing is written. Size, headers and content are of the message alone, and are not foreseen. */
export function openForesight(world: World): Foresee {
  return async ({ recipient, from }, by) => {
    const checks: ForeseenCheck[] = []
    let refusal: Refusal | undefined
    const add = (check: ForeseenCheck, refused?: Refusal) => {
      checks.push(check)
      refusal ??= refused
    }

    const address = parseAddress(recipient)
    if (isAddress(address)) {
      add({ check: 'recipient', passed: true, detail: 'The address is well formed.' })
    } else {
      const { detail } = address
      add({ check: 'recipient', passed: false, detail }, { kind: 'field-invalid', pointer: '/to', detail })
    }

    const sender = await senderOf(from, by, world)
    if ('detail' in sender) add({ check: 'sender', passed: false, detail: sender.detail }, sender)
    else add({ check: 'sender', passed: true, detail: STANDING[sender.kind](sender.name) })

    let counts = true
    if (!isAddress(address) || 'detail' in sender) {
      const detail = 'Not asked: it takes a recipient and a sender that may send.'
      add({ check: 'destination', passed: null, detail })
      add({ check: 'suppression', passed: null, detail })
    } else {
      const key = foldAddress(address)
      const [verified, entries] = await Promise.all([
        world.destinations.verified(by.accountId, [key]),
        world.suppressions.find(by.accountId, [key], sender.name),
      ])
      counts = !verified.has(key)
      const pointer = '/to'
      const stranger = sender.kind === 'routing-only' && !verified.has(key)
      const refused = stranger ? refuseUnverified({ address, pointer }, sender.name) : undefined
      add(
        {
          check: 'destination',
          passed: !stranger,
          detail: refused?.detail ?? DESTINATION(verified.has(key)),
        },
        refused,
      )
      const entry = entries.get(key)
      const suppressed = entry !== undefined || world.alwaysSuppressed(address)
      const detail = suppressed ? suppressedFor(entry) : 'The recipient is not on the suppression list.'
      add(
        { check: 'suppression', passed: !suppressed, detail, ...(entry && { suppression: entry }) },
        suppressed ? { kind: 'recipient-suppressed', pointer, detail } : undefined,
      )
    }

    const at = world.now()
    const report = await world.quota.report(by.accountId, at)
    const { used, limit } = report
    const full = counts && limit !== null && used >= limit
    const refused = full ? overQuota(report, 1, at) : undefined
    const room =
      limit === null ? 'There is no daily limit.' : `${used} of ${limit} recipients of today are used.`
    add({ check: 'quota', passed: !full, detail: refused?.detail ?? room, quota: { used, limit } }, refused)
    return { checks, ...(refusal && { refusal }) }
  }
}

async function senderOf(from: string, by: Principal, { domains }: World): Promise<FitSender | Refusal> {
  const address = parseAddress(from)
  if (!isAddress(address)) return { kind: 'field-invalid', pointer: '/from', detail: address.detail }
  return findSender(address, '/from', { by, domains })
}

const STANDING = {
  sending: (domain) => `${domain} is onboarded for sending.`,
  'routing-only': (domain) =>
    `${domain} is set up for routing only: it sends to verified destination addresses of this account.`,
} as const satisfies Record<FitSender['kind'], (domain: string) => string>

const DESTINATION = (verified: boolean) =>
  verified
    ? 'The recipient is a verified destination address of this account, and counts towards no quota.'
    : 'The sender’s domain may send to anyone; the recipient need not be a verified destination address.'

function suppressedFor(entry: Suppression | undefined): string {
  if (!entry) return 'The simulator counts this address as suppressed, always.'
  const { reason, scope, expiresAt } = entry
  const where = scope.type === 'account' ? 'for the whole account' : `for mail from ${scope.value}`
  const until = expiresAt === null ? 'until it is deleted' : `until ${new Date(expiresAt).toISOString()}`
  return `The recipient is suppressed ${where}, for the reason ${reason}, ${until}.`
}
