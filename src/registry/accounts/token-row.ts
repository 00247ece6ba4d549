import type { Permission } from '#model/permission.ts'
import type { IpRanges } from './ip-ranges.ts'
import { parsePermissions } from './permission.ts'
import { allowedSomewhere, type Policy, parsePolicies } from './policy.ts'
import { accountResource, parseResources, userResources } from './resource.ts'

/** A token as the API shows it; its secret is not in it. */
export interface TokenRecord {
  readonly id: string
  readonly accountId: string | null
  readonly userId: string | null
  readonly name: string
  readonly status: 'active' | 'disabled'
  readonly policies: readonly Policy[]
  readonly ipRanges: IpRanges | undefined
  /** Milliseconds, all of them. */
  readonly notBefore: number | null
  readonly expiresAt: number | null
  readonly createdAt: number
  readonly modifiedAt: number
  /** Of the user who made an account's token. */
  readonly creatorEmail: string | null
}

export interface TokenRow {
  readonly id: string
  readonly account_id: string | null
  readonly user_id: string | null
  readonly name: string
  readonly hash: string
  readonly permissions: string
  readonly policies: string | null
  readonly request_ip: string | null
  readonly status: string
  readonly not_before: number | null
  readonly expires_at: number | null
  readonly created_at: number
  readonly modified_at: number | null
  readonly creator_email: string | null
}

export const TOKEN_COLUMNS = `token.id, token.account_id, token.user_id, token.name, token.hash, token.permissions,
  token.policies, token.request_ip, token.status, token.not_before, token.expires_at, token.created_at,
  token.modified_at, token.creator_email`

export function tokenRecord(row: TokenRow): TokenRecord {
  return {
    id: row.id,
    accountId: row.account_id,
    userId: row.user_id,
    name: row.name,
    status: row.status === 'active' ? 'active' : 'disabled',
    policies: row.policies === null ? [plainPolicy(row)] : parsePolicies(row.policies),
    ipRanges: ipRangesOf(row),
    notBefore: row.not_before,
    expiresAt: row.expires_at,
    createdAt: row.created_at,
    modifiedAt: row.modified_at ?? row.created_at,
    creatorEmail: row.creator_email,
  }
}

/** A token without policies has its permissions wherever its owner is; the same, said as a policy. */
function plainPolicy({ id, account_id, user_id, permissions }: TokenRow): Policy {
  const written = account_id === null ? userResources(user_id ?? '') : accountResource(account_id)
  const parsed = parseResources(written)
  if (!parsed.ok) throw new TypeError(`the owner of token ${id} has an id that is none`)
  const names = [...parsePermissions(permissions)]
  return { id, effect: 'allow', permissions: names, written, resources: parsed.resources }
}

/** What the row lets its bearer do, and where it differs from everywhere. */
export function grantsOfRow(row: Pick<TokenRow, 'permissions' | 'policies'>): {
  readonly permissions: ReadonlySet<Permission>
  readonly policies?: readonly Policy[]
} {
  if (row.policies === null) return { permissions: parsePermissions(row.permissions) }
  const policies = parsePolicies(row.policies)
  return { permissions: allowedSomewhere(policies), policies }
}

export function ipRangesOf({ request_ip }: Pick<TokenRow, 'request_ip'>): IpRanges | undefined {
  // Written by this room alone, after every range was checked.
  return request_ip === null ? undefined : (JSON.parse(request_ip) as IpRanges)
}
