import type { TokenBody } from '#contract/tokens.ts'
import { groupOf } from '#registry/accounts/permission-groups.ts'
import type { TokenRecord } from '#registry/accounts/token-row.ts'
import { apiTime } from './api-time.ts'

/** A token as its owner and the audit log see it. `now` in milliseconds. */
export function tokenBody(token: TokenRecord, now: number): TokenBody {
  const { ipRanges, notBefore, expiresAt, creatorEmail } = token
  return {
    id: token.id,
    name: token.name,
    status: expiresAt !== null && now >= expiresAt ? 'expired' : token.status,
    issued_on: apiTime(token.createdAt),
    modified_on: apiTime(token.modifiedAt),
    ...(notBefore !== null && { not_before: apiTime(notBefore) }),
    ...(expiresAt !== null && { expires_on: apiTime(expiresAt) }),
    ...(creatorEmail !== null && { creator_email_at_creation: creatorEmail }),
    policies: token.policies.map(({ id, effect, permissions, written }) => ({
      id,
      effect,
      permission_groups: permissions.map((permission) => {
        const group = groupOf(permission)
        return { id: group.id, name: group.name }
      }),
      resources: Object.fromEntries(
        Object.entries(written).map(([key, value]) => [
          key,
          typeof value === 'string' ? value : { ...value },
        ]),
      ),
    })),
    ...(ipRanges && {
      condition: {
        request_ip: {
          ...(ipRanges.in && { in: [...ipRanges.in] }),
          ...(ipRanges.not_in && { not_in: [...ipRanges.not_in] }),
        },
      },
    }),
  }
}
