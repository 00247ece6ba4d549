import { type AuditActor, auditWrite } from '#registry/accounts/audit.ts'
import type { RecordChange } from '#registry/domains/domain-change.ts'
import type { Domains } from '#registry/domains/domains.ts'
import type { MailSetup } from '#registry/domains/mail-setup.ts'
import { readZoneName } from '#registry/domains/read-zone-name.ts'
import type { Zone } from '#registry/domains/zones.ts'
import { type Answer, type Call, type Fault, NO_SUCH_OBJECT, type ServedBy } from './serve-operation.ts'

/** What the routes about a zone's mail work with. */
export interface OnboardingWorld extends ServedBy {
  readonly domains: Pick<Domains, 'zone' | 'zones'>
  readonly mailSetup: MailSetup
}

/** The line of the audit log about a change, in the name of who asked for it. */
export function auditBy(actor: AuditActor): RecordChange {
  return (change) => [auditWrite({ ...change, actor })]
}

/** A name of the zone from a request, whose place `pointer` is. */
export function readName(zone: Zone, text: string | undefined, pointer = '/name'): string | Fault {
  const name = readZoneName(zone, text)
  if (typeof name === 'string') return name
  return { status: 400, code: 1001, message: 'Request is invalid', detail: name.detail, pointer }
}

/** The handler of an operation on a zone that is there. */
export function withZone<Query, Body, Result>(
  { domains }: OnboardingWorld,
  handle: (zone: Zone, call: Call<Query, Body>) => Promise<Answer<Result>>,
): (call: Call<Query, Body>) => Promise<Answer<Result>> {
  return async (call) => {
    const zone = await domains.zone(call.accountId, call.params['zone_id'] ?? '')
    return zone ? handle(zone, call) : NO_SUCH_OBJECT
  }
}
