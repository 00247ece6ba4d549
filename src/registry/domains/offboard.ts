import { returnPathDomain, type ServiceNames } from '#model/service.ts'
import { hasInclude, withoutInclude } from '#protocol/spf-record.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { stopMtaSts } from './change-mta-sts.ts'
import { type DomainKey, keysOf } from './dkim-key.ts'
import type { DnsProvider, ZoneRecordRow } from './dns-provider.ts'
import { type RecordChange, resourceOf } from './domain-change.ts'
import { findMailDomain, type MailDomain, type MailStatus, statusWrite, withStatus } from './mail-domain.ts'
import { dkimKeyIn, dkimName, expectedRecords, isSpf, type MailService } from './onboarding-records.ts'
import type { Zone } from './zones.ts'

export interface OffboardWorld {
  readonly store: Store
  readonly service: ServiceNames
  readonly clock: () => number
  readonly dnsProvider: (zone: Zone) => DnsProvider
}

export interface OffboardRequest {
  readonly zone: Zone
  readonly domainId: string
  readonly mail: MailService
  readonly record: RecordChange
}

const RACES = 10

const forgetCheck = statement('dns-check.forget', 'delete from dns_check where domain_id = $1 and mail = $2')

const retireOtherKeys = statement(
  'dkim-key.retire-others',
  `update dkim_key set state = 'retired', state_at = $4, private_key = ''
   where domain_id = $1 and mail = $2 and account_id = $3 and state in ('publishing', 'retiring')`,
)

/** Takes a domain out of one service: its records go, those of the other service and of its owner stay, and so does
 *  the key that signed, for when it comes back. False where it was not in the service. */
export async function offboard(world: OffboardWorld, request: OffboardRequest): Promise<boolean> {
  const { store } = world
  const { zone, domainId, mail } = request
  for (let race = 0; race < RACES; race++) {
    const scope = { accountId: zone.accountId, zoneId: zone.id }
    const domain = await findMailDomain(store, scope, domainId)
    if (!domain || !isIn(mail, domain[mail])) return false
    const keys = await keysOf(store, { accountId: zone.accountId, domainId, mail })
    const rows = await world.dnsProvider(zone).records(zone)
    const at = Math.max(world.clock(), domain.modifiedAt + 1)
    const committed = await store.commit([
      ...removalWrites(world, request, { domain, keys, rows, at }),
      ...(mail === 'routing' ? await stopMtaSts(world, { ...request, domain, at }) : []),
    ])
    if (committed.ok) return true
  }
  throw new Error(`removing ${domainId} from ${mail} lost ${RACES} races in a row`)
}

/** Also a domain whose sending is switched off may leave; of routing that is what leaving is. */
function isIn(mail: MailService, status: MailStatus): boolean {
  return mail === 'sending' ? status !== 'none' : isSetUp(status)
}

/** Whether the domain is in the service, active yet or not. */
export function isSetUp(status: MailStatus): boolean {
  return status === 'pending' || status === 'active'
}

function removalWrites(
  { service, dnsProvider }: OffboardWorld,
  { zone, mail, record }: OffboardRequest,
  found: {
    readonly domain: MailDomain
    readonly keys: readonly DomainKey[]
    readonly rows: readonly ZoneRecordRow[]
    readonly at: number
  },
): Write[] {
  const { domain, keys, at } = found
  const provider = dnsProvider(zone)
  const { gone, unmerged } = removedRecords(service, mail, found)
  // Of routing the word says that it was here: its rules are kept.
  const status = mail === 'sending' ? 'none' : 'disabled'
  return [
    statusWrite(domain, withStatus(domain, mail, status), at),
    { statement: forgetCheck, params: [domain.id, mail] },
    ...(keys.some(({ state }) => state === 'publishing' || state === 'retiring')
      ? [{ statement: retireOtherKeys, params: [domain.id, mail, domain.accountId, at] }]
      : []),
    ...provider.remove(
      zone,
      [...gone, ...unmerged].map(({ id }) => id),
      at,
    ),
    ...provider.put(
      zone,
      unmerged.map((row) => ({ ...row, content: withoutInclude(row.content, service.spf) })),
      { purpose: 'owner', at },
    ),
    ...record({
      accountId: domain.accountId,
      action: mail === 'sending' ? 'sending_domain.remove' : 'routing.disable',
      ...resourceOf(mail, zone, domain),
      zone: zone.name,
      before: { name: domain.name, status: domain[mail] },
      ...(mail === 'routing' && { after: { name: domain.name, status } }),
      at,
    }),
  ]
}

/** What of the zone's records goes with the domain: what we made and its owner has not made theirs. */
function removedRecords(
  service: ServiceNames,
  mail: MailService,
  found: {
    readonly domain: MailDomain
    readonly keys: readonly DomainKey[]
    readonly rows: readonly ZoneRecordRow[]
  },
): { readonly gone: readonly ZoneRecordRow[]; readonly unmerged: readonly ZoneRecordRow[] } {
  const { domain, keys, rows } = found
  const host = mail === 'sending' ? returnPathDomain(domain.name) : domain.name
  const expected = expectedRecords(mail, domain.name, { service, keys: [] })
  const gone = rows.filter((row) => {
    if (row.purpose !== mail) return false
    const ours = expected.some(
      ({ name, type, content }) => name === row.name && type === row.type && content === row.content,
    )
    // Under our lock nobody else changed it, whatever the service was called when it was written.
    const locked = row.locked && row.name === host
    return ours || locked || isKey(row, domain.name, keys)
  })
  const unmerged = rows.filter(
    (row) => row.name === host && isSpf(row) && !gone.includes(row) && hasInclude(row.content, service.spf),
  )
  return { gone, unmerged }
}

function isKey(row: ZoneRecordRow, domain: string, keys: readonly DomainKey[]): boolean {
  return keys.some(
    ({ selector, public_key }) =>
      row.name === dkimName(selector, domain) && dkimKeyIn(row.content) === public_key,
  )
}
