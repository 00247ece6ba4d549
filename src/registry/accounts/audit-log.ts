import { type Statement, type Store, statement } from '#store/store.ts'
import type { AddressRange } from './address-range.ts'

export interface AuditLine {
  readonly id: string
  readonly accountId: string
  readonly at: number
  readonly action: string
  readonly actor: {
    readonly type: 'user' | 'token' | 'system'
    readonly id: string
    readonly tokenId: string | null
    /** Of a user, as it is now. */
    readonly email: string | null
    readonly address: string
  }
  readonly resource: { readonly type: string; readonly id: string }
  readonly zone: string | null
  /** JSON. */
  readonly before: string | null
  readonly after: string | null
}

export interface AuditFilter {
  readonly id?: string | undefined
  readonly action?: string | undefined
  /** An address of mail, in any case. */
  readonly email?: string | undefined
  /** Where the request came from. */
  readonly addresses?: AddressRange | undefined
  readonly zone?: string | undefined
  /** Milliseconds: from `since` on, up to and without `before`. */
  readonly since?: number | undefined
  readonly before?: number | undefined
  readonly withoutUserLevel: boolean
}

export interface AuditPage {
  readonly limit: number
  readonly ascending: boolean
  /** How many lines to pass over, or the line after which to go on. */
  readonly from: number | { readonly at: number; readonly id: string }
}

interface Row {
  readonly id: string
  readonly account_id: string
  readonly at: number
  readonly action: string
  readonly actor_type: string
  readonly actor_id: string
  readonly actor_token_id: string | null
  readonly actor_address: string
  readonly email: string | null
  readonly resource_type: string
  readonly resource_id: string
  readonly zone_name: string | null
  readonly before_value: string | null
  readonly after_value: string | null
}

const EMAIL_USER = '(select id from service_user where email_key = $8)'

/** Of the filters, the one whose index narrows the list most. */
const NARROWED = {
  action: 'and audit_log.action = $7',
  actor: `and audit_log.actor_id = ${EMAIL_USER}`,
  address: 'and audit_log.actor_key = $9',
  zone: 'and audit_log.zone_name = $11',
  account: '',
} as const

function listStatement(narrowed: keyof typeof NARROWED, ascending: boolean): Statement<Row> {
  const [after, direction] = ascending ? ['>', ''] : ['<', 'desc']
  return statement<Row>(
    'audit.list',
    `select audit_log.*, service_user.email
     from audit_log left join service_user on service_user.id = audit_log.actor_id
     where audit_log.account_id = $1 ${NARROWED[narrowed]} and audit_log.at >= $2 and audit_log.at < $3
       and (audit_log.at, audit_log.id) ${after} ($4, $5)
       and ($6 = '' or audit_log.id = $6) and ($7 = '' or audit_log.action = $7)
       and ($8 = '' or audit_log.actor_id = ${EMAIL_USER})
       and ($9 = '' or audit_log.actor_key between $9 and $10) and ($11 = '' or audit_log.zone_name = $11)
       and ($12 = 0 or audit_log.user_level = 0)
     order by audit_log.at ${direction}, audit_log.id ${direction} limit $13 offset $14`,
  )
}

const NARROWINGS = ['action', 'actor', 'address', 'zone', 'account'] as const
const statements = new Map(
  NARROWINGS.map((narrowed) => [
    narrowed,
    { ascending: listStatement(narrowed, true), descending: listStatement(narrowed, false) },
  ]),
)

/** Later than every moment of the log. */
const END = Number.MAX_SAFE_INTEGER

/** The lines of one account in the order of time. Throws ScanTimeout where nothing narrows a search far enough. */
export async function auditLines(
  store: Store,
  accountId: string,
  filter: AuditFilter,
  { limit, ascending, from }: AuditPage,
): Promise<readonly AuditLine[]> {
  const { id = '', action = '', email = '', zone = '', since = 0, before = END } = filter
  const { low = '', high = '' } = filter.addresses ?? {}
  const narrowed = narrowing(filter)
  const list = statements.get(narrowed)
  if (!list) throw new Error(`no list by ${narrowed}`)
  const start = ascending ? { at: -1, id: '' } : { at: END, id: '' }
  const after = typeof from === 'number' ? start : from
  const rows = await store.all(ascending ? list.ascending : list.descending, [
    ...[accountId, since, before, after.at, after.id],
    ...[id, action, email.toLowerCase(), low, high, zone, filter.withoutUserLevel ? 1 : 0],
    ...[limit, typeof from === 'number' ? from : 0],
  ])
  return rows.map(lineOf)
}

function narrowing({ action, email, addresses, zone }: AuditFilter): keyof typeof NARROWED {
  if (action) return 'action'
  if (email) return 'actor'
  // The index has the lines of one address in their order, not those of several.
  if (addresses && addresses.low === addresses.high) return 'address'
  return zone ? 'zone' : 'account'
}

function lineOf(row: Row): AuditLine {
  return {
    id: row.id,
    accountId: row.account_id,
    at: row.at,
    action: row.action,
    actor: {
      type: row.actor_type === 'user' ? 'user' : row.actor_type === 'token' ? 'token' : 'system',
      id: row.actor_id,
      tokenId: row.actor_token_id,
      email: row.email,
      address: row.actor_address,
    },
    resource: { type: row.resource_type, id: row.resource_id },
    zone: row.zone_name,
    before: row.before_value,
    after: row.after_value,
  }
}
