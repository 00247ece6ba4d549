import type { OnboardingRefused } from '#registry/domains/onboard.ts'
import type { Rotation } from '#registry/domains/rotate-key.ts'
import { type Fault, NO_SUCH_OBJECT } from './serve-operation.ts'

/** Why a domain cannot be set up, on the wire. Clients choose by the status; the codes from 2001 on are of this service,
 *  2062 is the original's for a domain that is not the zone's. */
export function onboardingFault(refused: OnboardingRefused): Fault {
  const [status, code, message] = TABLE[refused.kind]
  const pointer = NAMED.has(refused.kind) ? { pointer: '/name' } : {}
  return { status, code, message, detail: detailOf(refused), ...pointer }
}

const TABLE = {
  'unknown-zone': [404, 7003, 'Could not route to this path, perhaps your object identifier is invalid?'],
  'pending-zone': [403, 2070, 'Zone is not active'],
  'outside-zone': [400, 2062, 'Unknown domain'],
  'reserved-name': [400, 2063, 'Reserved domain'],
  'name-too-long': [400, 2064, 'Domain too long'],
  'in-other-zone': [400, 2065, 'Domain is set up in another zone'],
  'too-many-domains': [400, 2066, 'Too many domains in the zone'],
  'conflicting-records': [400, 2067, 'Conflicting DNS records'],
  'spf-too-many-lookups': [400, 2068, 'SPF record would need too many DNS lookups'],
  unanswered: [503, 2069, 'DNS did not answer'],
} as const satisfies Record<OnboardingRefused['kind'], readonly [Fault['status'], number, string]>

const NAMED = new Set<OnboardingRefused['kind']>([
  'outside-zone',
  'reserved-name',
  'name-too-long',
  'in-other-zone',
])

function detailOf(refused: OnboardingRefused): string {
  switch (refused.kind) {
    case 'unknown-zone':
      return 'There is no such zone.'
    case 'pending-zone':
      return 'The zone waits for proof of who owns it: publish what it asks for, then try again.'
    case 'outside-zone':
      return `The name must be ${refused.zone} or end in .${refused.zone}.`
    case 'reserved-name':
      return 'A name that begins with cf-bounce is where bounces of another domain come back to.'
    case 'name-too-long':
      return `The name may have ${refused.limit} octets at most, so that its records can be named.`
    case 'in-other-zone':
      return `The name is set up in the zone ${refused.zone} of this account.`
    case 'too-many-domains':
      return `A zone may have ${refused.limit} domains for sending and routing together; remove one first.`
    case 'conflicting-records':
      return `Remove or change these records first: ${refused.records.join('; ')}.`
    case 'spf-too-many-lookups':
      return `With the include of this service the SPF record needs ${refused.lookups} DNS lookups, and verifiers make ${refused.limit} at most (RFC 7208 §4.6.4). It would be: ${refused.merged}`
    case 'unanswered':
      return `DNS did not answer for ${refused.names.join(', ')}; nothing was changed, try again.`
  }
}

/** Why a key was not changed; undefined where it was, or is being. */
export function rotationFault(rotation: Rotation): Fault | undefined {
  if (rotation.kind === 'not-set-up') return NO_SUCH_OBJECT
  if (rotation.kind !== 'too-many-keys') return undefined
  const detail = `${rotation.limit} old keys of the domain are still in DNS for the mail that they signed; try again when one has gone.`
  return { status: 429, code: 2071, message: 'Too many DKIM keys', detail }
}
