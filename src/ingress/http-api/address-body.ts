import type { AddressResult } from '#contract/addresses.ts'
import { type AuditActor, auditWrite } from '#registry/accounts/audit.ts'
import type { Destination } from '#registry/routes/destination.ts'
import type { RecordDestination } from '#registry/routes/destinations.ts'
import { apiTime } from './api-time.ts'

export function addressBody({ id, email, createdAt, modifiedAt, verifiedAt }: Destination): AddressResult {
  return {
    ...{ id, tag: id, email, created: apiTime(createdAt), modified: apiTime(modifiedAt) },
    verified: verifiedAt === null ? null : apiTime(verifiedAt),
  }
}

/** The audit log's line about a proof that was given or taken back. */
export function noteStatus(actor: AuditActor, accountId: string): RecordDestination {
  return ({ before, after }) => [
    auditWrite({
      ...{ accountId, actor, action: 'address.update', resource: resourceOf(after) },
      ...{ before: addressBody(before), after: addressBody(after), at: after.modifiedAt },
    }),
  ]
}

export function resourceOf({ id }: Destination) {
  return { type: 'address', id }
}
