import { type Store, statement } from '#store/store.ts'
import type { RecordProblem, StatusWord } from './judge-records.ts'
import { ZONE_COLUMNS, type Zone, type ZoneRow, zoneOf } from './zones.ts'

/** A zone of an account with one of its domains that send, or the zone alone where none does. Nothing is asked of DNS: how
 *  the records stand is as of the last look. */
export interface AccountDomain {
  readonly zone: Zone
  readonly domain: SendingStanding | undefined
}

export interface SendingStanding {
  readonly id: string
  readonly name: string
  /** Milliseconds since 1970, as the other times. */
  readonly createdAt: number
  /** Undefined before the first look. */
  readonly look:
    | {
        readonly status: StatusWord
        readonly problems: readonly RecordProblem['code'][]
        readonly at: number
      }
    | undefined
}

interface Row extends ZoneRow {
  readonly domain_id: string | null
  readonly domain_name: string
  readonly domain_created_at: number
  readonly look_status: StatusWord | null
  readonly look_problems: string
  readonly look_at: number
}

const ofAccount = statement<Row>(
  'domain.all-of-account',
  `select ${ZONE_COLUMNS.split(', ')
    .map((column) => `zone.${column}`)
    .join(', ')},
     domain.id as domain_id, domain.name as domain_name, domain.created_at as domain_created_at,
     look.status as look_status, look.problems as look_problems, look.checked_at as look_at
   from zone
     left join domain on domain.zone_id = zone.id and domain.account_id = zone.account_id
       and domain.sending in ('pending', 'active')
     left join dns_check look on look.domain_id = domain.id and look.mail = 'sending'
   where zone.account_id = $1`,
)

/** By zone; within one the apex first, then by length and name. */
export async function accountDomains(store: Store, accountId: string): Promise<AccountDomain[]> {
  const rows = await store.all(ofAccount, [accountId])
  // Engines order text each in their own way.
  return rows.map(read).toSorted(inOrder)
}

function read(row: Row): AccountDomain {
  const zone = zoneOf(row)
  if (row.domain_id === null) return { zone, domain: undefined }
  return {
    zone,
    domain: {
      ...{ id: row.domain_id, name: row.domain_name, createdAt: row.domain_created_at },
      look:
        row.look_status === null
          ? undefined
          : {
              status: row.look_status,
              // Written by this room.
              problems: JSON.parse(row.look_problems) as RecordProblem['code'][],
              at: row.look_at,
            },
    },
  }
}

function inOrder(one: AccountDomain, other: AccountDomain): number {
  const [a, b] = [one.domain?.name ?? '', other.domain?.name ?? '']
  return compare(one.zone.name, other.zone.name) || a.length - b.length || compare(a, b)
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
