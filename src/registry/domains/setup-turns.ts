import { statement } from '#store/store.ts'
import { endMtaSts } from './change-mta-sts.ts'
import { type CheckWorld, checkDomain } from './dns-check.ts'
import type { RecordChange } from './domain-change.ts'
import { domainOf, type MailDomain } from './mail-domain.ts'
import type { MailService } from './onboarding-records.ts'
import { advanceKeys, beginRotation, KEEP_KEY_MS, type RotationWorld } from './rotate-key.ts'
import { findZone, type Zone } from './zones.ts'

/** What happens to domains and keys by itself. */
export interface SetupTurns {
  run(): Promise<void>
}

type TurnsWorld = CheckWorld &
  RotationWorld & {
    readonly rotateAfterMs?: number
    readonly record: RecordChange
  }

// Of each kind in one turn: whatever is due beyond that comes with the next, oldest first.
const AT_ONCE = 100
// DNS is slow and others wait: so many domains are looked at side by side.
const ABREAST = 10

type DomainRow = Parameters<typeof domainOf>[0]

const DOMAIN = `domain.id, domain.zone_id, domain.account_id, domain.name, domain.sending, domain.routing,
  domain.preview_enabled, domain.drop_suppressed_recipients, domain.created_at, domain.modified_at`

/** A scan over all accounts: nobody asks for it, and nobody is told of it but whom it is about. */
const dueChecks = {
  sending: dueFor('sending'),
  routing: dueFor('routing'),
} as const satisfies Record<MailService, unknown>

function dueFor(mail: MailService) {
  return statement<DomainRow>(
    `dns-check.due-${mail}`,
    `select ${DOMAIN} from domain join zone on zone.id = domain.zone_id
       left join dns_check on dns_check.domain_id = domain.id and dns_check.mail = '${mail}'
     where zone.status = 'active' and domain.${mail} in ('pending', 'active')
       and coalesce(dns_check.due_at, 0) <= $1
     order by coalesce(dns_check.due_at, 0), domain.id limit $2`,
  )
}

// A key that waits is looked at in every turn; those that were asked for longest ago come last, so that names that will
// never show it do not keep the others waiting.
const movingKeys = statement<DomainRow & { readonly mail: string }>(
  'dkim-key.moving',
  `select ${DOMAIN}, dkim_key.mail from dkim_key join domain on domain.id = dkim_key.domain_id
     join zone on zone.id = domain.zone_id
   where zone.status = 'active'
     and (dkim_key.state = 'publishing' or (dkim_key.state = 'retiring' and dkim_key.state_at <= $1))
   order by dkim_key.state_at desc limit $2`,
)

const agedKeys = statement<DomainRow & { readonly mail: string }>(
  'dkim-key.aged',
  `select ${DOMAIN}, dkim_key.mail from dkim_key join domain on domain.id = dkim_key.domain_id
     join zone on zone.id = domain.zone_id
   where zone.status = 'active' and zone.dns = 'hosted' and dkim_key.state = 'active' and dkim_key.state_at <= $1
     and ((dkim_key.mail = 'sending' and domain.sending = 'active')
       or (dkim_key.mail = 'routing' and domain.routing = 'active'))
     and not exists (select 1 from dkim_key later where later.domain_id = dkim_key.domain_id
       and later.mail = dkim_key.mail and later.state = 'publishing')
   order by dkim_key.state_at limit $2`,
)

const endingPolicies = statement<DomainRow>(
  'mta-sts.ending',
  `select ${DOMAIN} from domain join mta_sts on mta_sts.domain_id = domain.id
   where mta_sts.ends_at <= $1 order by mta_sts.ends_at, domain.id limit $2`,
)

export function openTurns(world: TurnsWorld): SetupTurns {
  const { store, clock, record, rotateAfterMs } = world

  async function each(
    rows: readonly DomainRow[],
    act: (zone: Zone, domain: MailDomain) => Promise<unknown>,
  ): Promise<void> {
    for (let first = 0; first < rows.length; first += ABREAST) {
      const some = rows.slice(first, first + ABREAST).map(async (row) => {
        const domain = domainOf(row)
        const zone = await findZone(store, domain.accountId, domain.zoneId)
        if (zone) await act(zone, domain)
      })
      const failed = (await Promise.allSettled(some)).find((end) => end.status === 'rejected')
      if (failed) throw failed.reason
    }
  }

  async function eachKey(
    rows: readonly (DomainRow & { readonly mail: string })[],
    act: (of: {
      zone: Zone
      domain: MailDomain
      mail: MailService
      record: RecordChange
    }) => Promise<unknown>,
  ): Promise<void> {
    for (const mail of ['sending', 'routing'] as const)
      await each(
        rows.filter((row) => row.mail === mail),
        (zone, domain) => act({ zone, domain, mail, record }),
      )
  }

  async function endPolicy(zone: Zone, domain: MailDomain): Promise<void> {
    await endMtaSts(world, { zone, domain, record })
    world.changed(domain)
  }

  return {
    async run() {
      const now = clock()
      if (rotateAfterMs !== undefined)
        await eachKey(await store.all(agedKeys, [now - rotateAfterMs, AT_ONCE]), (of) =>
          beginRotation(world, of),
        )
      await eachKey(await store.all(movingKeys, [now - KEEP_KEY_MS, AT_ONCE]), (of) => advanceKeys(world, of))
      await each(await store.all(endingPolicies, [now, AT_ONCE]), (zone, domain) => endPolicy(zone, domain))
      for (const mail of ['sending', 'routing'] as const)
        await each(await store.all(dueChecks[mail], [now, AT_ONCE]), (zone, domain) =>
          checkDomain(world, { zone, domain, mail }),
        )
    },
  }
}
