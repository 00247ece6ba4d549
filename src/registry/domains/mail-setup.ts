import type { ServiceNames } from '#model/service.ts'
import type { Resolver } from '#net/resolver.ts'
import type { Store } from '#store/store.ts'
import type { Vault } from '#vault/vault.ts'
import { type AccountDomain, accountDomains } from './account-domains.ts'
import { changeMtaSts, type StsChange, type StsWish } from './change-mta-sts.ts'
import { type DomainKey, findDomainKey, keysOf } from './dkim-key.ts'
import {
  type CheckWorld,
  checkAgain,
  checkDomain,
  type DomainCheck,
  lastStatus,
  recordsOf,
} from './dns-check.ts'
import { type DomainChange, type RecordChange, resourceOf } from './domain-change.ts'
import type { Domains } from './domains.ts'
import type { StatusWord } from './judge-records.ts'
import {
  findDomainNamed,
  findMailDomain,
  type MailDomain,
  mailDomainsOf,
  optionsWrite,
} from './mail-domain.ts'
import { isSetUp, offboard } from './offboard.ts'
import { nameFault, type Onboarding, type OnboardingRefused, onboard } from './onboard.ts'
import type { ExpectedRecord, MailService } from './onboarding-records.ts'
import { presentRecords } from './present-records.ts'
import { type DomainPreview, previewDomain, withMergedSpf } from './preview-domain.ts'
import { advanceKeys, beginRotation, type Rotation } from './rotate-key.ts'
import { changeRoutingSettings, type RoutingSettings, routingSettings } from './routing-settings.ts'
import { openTurns } from './setup-turns.ts'
import { unlockRouting } from './unlock.ts'
import { type MtaStsView, viewMtaSts } from './view-mta-sts.ts'
import type { Zone } from './zones.ts'

/** What a zone's owner does with the two services: domains in and out, their records, their state in DNS, their keys.
 *  In: requests of an account about a zone of its own. Out: what is set up, what DNS lacks. Promise: records of others
 *  are never deleted; each change and its line in the audit log are one commit; what nobody asks for (a look at DNS, a
 *  key's next step) comes by itself with `runDue`. */
export interface MailSetup {
  /** Domains that send, active or not yet; the apex first. */
  sendingDomains(zone: Zone): Promise<MailDomain[]>
  /** One of them. */
  sendingDomain(zone: Zone, id: string): Promise<MailDomain | undefined>
  /** What an account sends from, over all of its zones. */
  accountDomains(accountId: string): Promise<AccountDomain[]>
  /** Domains that take mail, or did until their owner switched them off; the apex first. */
  routingDomains(zone: Zone): Promise<MailDomain[]>
  /** By name, whatever it is set up for. */
  domainNamed(zone: Zone, name: string): Promise<MailDomain | undefined>
  /** The selector that signs; undefined before the domain was ever set up. */
  selector(domain: MailDomain, mail: MailService): Promise<string | undefined>
  add(zone: Zone, name: string, mail: MailService, record: RecordChange): Promise<Onboarding>
  /** False where it was not in the service. */
  remove(zone: Zone, domain: MailDomain, mail: MailService, record: RecordChange): Promise<boolean>
  /** Writes what is missing of the records of all domains, after the zone took another road to DNS. Out: those that
   *  it could not be done for, and why. */
  mend(zone: Zone, record: RecordChange): Promise<readonly NotMended[]>
  changeOptions(zone: Zone, domain: MailDomain, change: OptionsChange): Promise<MailDomain | undefined>
  unlock(zone: Zone, domain: MailDomain, record: RecordChange): Promise<void>
  /** The records to publish. */
  records(zone: Zone, domain: MailDomain, mail: MailService): Promise<ExpectedRecord[]>
  /** A look at DNS, now. */
  check(zone: Zone, domain: MailDomain, mail: MailService): Promise<DomainCheck>
  /** As the last look had it; looks where there was none. */
  status(zone: Zone, domain: MailDomain | undefined, mail: MailService): Promise<StatusWord>
  /** Without `record`, because nothing changes. The other kinds are why it cannot be. */
  preview(zone: Zone, name: string, mail: MailService): Promise<DomainPreview | OnboardingRefused>
  routingSettings(zone: Zone): Promise<RoutingSettings>
  changeRoutingSettings(zone: Zone, change: SettingsChange, record: RecordChange): Promise<void>
  /** What the domain says of TLS to those who send to it, with a look at DNS. */
  mtaSts(zone: Zone, domain: MailDomain): Promise<MtaStsView>
  changeMtaSts(zone: Zone, domain: MailDomain, wish: StsWish, record: RecordChange): Promise<StsChange>
  /** Oldest first. */
  keys(domain: MailDomain, mail: MailService): Promise<DomainKey[]>
  rotate(zone: Zone, domain: MailDomain, mail: MailService, record: RecordChange): Promise<Rotation>
  /** Looks that are due, keys that can go a step further, policies whose time has come. To be called each minute or so. */
  runDue(): Promise<void>
}

export interface NotMended {
  readonly name: string
  readonly mail: MailService
  readonly refused: OnboardingRefused
}

export interface OptionsChange {
  readonly previewEnabled?: boolean | undefined
  readonly dropSuppressedRecipients?: boolean | undefined
  readonly record: RecordChange
}

export interface SettingsChange {
  readonly skipWizard?: boolean | undefined
  readonly supportSubaddress?: boolean | undefined
}

export interface MailSetupWorld {
  readonly store: Store
  readonly vault: Vault
  readonly service: ServiceNames
  readonly clock: () => number
  readonly domains: Domains
  /** DNS itself, without a memory of its own. */
  readonly resolver: Resolver
  /** Whether a domain works at once (development), or once its records were seen in DNS. */
  readonly activeAtOnce: boolean
  /** How long a key signs before the next one is made by itself, where we publish the records; never unless given. */
  readonly rotateAfterMs?: number
  /** Who has to be told of what happens by itself. */
  readonly recordBySystem: RecordChange
}

const CHANGES = 10

export function openMailSetup(world: MailSetupWorld): MailSetup {
  const { store, service, clock, domains, resolver } = world
  const dnsProvider = (zone: Zone) => domains.dnsProvider(zone)
  const changed = (domain: MailDomain) => domains.domainChanged(domain)
  const base = { store, vault: world.vault, service, clock, dnsProvider, resolver, changed }
  const checks: CheckWorld = { ...base, record: world.recordBySystem }
  const of = (zone: Zone) => ({ accountId: zone.accountId, zoneId: zone.id })
  const turns = openTurns({
    ...base,
    ...(world.rotateAfterMs !== undefined && { rotateAfterMs: world.rotateAfterMs }),
    record: world.recordBySystem,
  })

  async function add(zone: Zone, name: string, mail: MailService, record: RecordChange): Promise<Onboarding> {
    const request = { ...of(zone), name, mail, active: world.activeAtOnce, record }
    const result = await onboard(base, request)
    domains.domainChanged(request)
    if (result.kind !== 'onboarded') return result
    // At once, because whoever added it looks next.
    await checkAgain(checks, { zone, domainId: result.domainId, mail })
    const now = await findMailDomain(store, of(zone), result.domainId)
    return { ...result, status: now?.[mail] === 'active' ? 'active' : 'pending' }
  }

  async function mend(zone: Zone, record: RecordChange): Promise<readonly NotMended[]> {
    const left: NotMended[] = []
    for (const domain of await mailDomainsOf(store, of(zone))) {
      for (const mail of ['sending', 'routing'] as const) {
        if (!isSetUp(domain[mail])) continue
        const { name } = domain
        const added = await add(zone, name, mail, record)
        if (added.kind !== 'onboarded') left.push({ name, mail, refused: added })
      }
    }
    return left
  }

  async function changeOptions(
    zone: Zone,
    domain: MailDomain,
    { previewEnabled, dropSuppressedRecipients, record }: OptionsChange,
  ): Promise<MailDomain | undefined> {
    for (let race = 0; race < CHANGES; race++) {
      const now = await findMailDomain(store, of(zone), domain.id)
      if (!now || !isSetUp(now.sending)) return undefined
      const after = {
        previewEnabled: previewEnabled ?? now.previewEnabled,
        dropSuppressedRecipients: dropSuppressedRecipients ?? now.dropSuppressedRecipients,
      }
      const at = Math.max(clock(), now.modifiedAt + 1)
      const change: DomainChange = {
        accountId: zone.accountId,
        action: 'sending_domain.update',
        ...resourceOf('sending', zone, now),
        zone: zone.name,
        before: optionsShown(now),
        after: optionsShown({ ...now, ...after }),
        at,
      }
      const committed = await store.commit([optionsWrite(now, after, at), ...record(change)])
      if (!committed.ok) continue
      domains.domainChanged(now)
      return { ...now, ...after, modifiedAt: at }
    }
    throw new Error(`changing ${domain.name} lost ${CHANGES} races in a row`)
  }

  async function rotate(
    zone: Zone,
    domain: MailDomain,
    mail: MailService,
    record: RecordChange,
  ): Promise<Rotation> {
    const begun = await beginRotation(base, { zone, domain, mail, record })
    if (begun.kind !== 'not-set-up') await advanceKeys(base, { zone, domain, mail, record })
    return begun
  }

  return {
    async sendingDomains(zone) {
      const all = await mailDomainsOf(store, of(zone))
      return all.filter(({ sending }) => sending !== 'none')
    },
    accountDomains: (accountId) => accountDomains(store, accountId),
    async routingDomains(zone) {
      const all = await mailDomainsOf(store, of(zone))
      return all.filter(({ routing }) => routing !== 'none')
    },
    async sendingDomain(zone, id) {
      const domain = await findMailDomain(store, of(zone), id)
      return domain && domain.sending !== 'none' ? domain : undefined
    },
    domainNamed: (zone, name) => findDomainNamed(store, of(zone), name),
    async selector(domain, mail) {
      const key = await findDomainKey(store, { accountId: domain.accountId, domainId: domain.id, mail })
      return key?.selector
    },
    add,
    async remove(zone, domain, mail, record) {
      const removed = await offboard(base, { zone, domainId: domain.id, mail, record })
      domains.domainChanged(domain)
      return removed
    },
    mend,
    changeOptions,
    async unlock(zone, domain, record) {
      await unlockRouting(base, { zone, domain, record })
      domains.domainChanged(domain)
      await checkDomain(checks, { zone, domain, mail: 'routing' })
    },
    async records(zone, domain, mail) {
      const expected = await recordsOf(store, { domain, mail, service })
      const present = await presentRecords(zone, expected, { provider: dnsProvider(zone), resolver })
      return withMergedSpf(expected, present.records, service)
    },
    check: (zone, domain, mail) => checkDomain(checks, { zone, domain, mail }),
    async status(zone, domain, mail) {
      if (!domain || !isSetUp(domain[mail])) return 'unconfigured'
      return (
        (await lastStatus(store, domain, mail)) ?? (await checkDomain(checks, { zone, domain, mail })).status
      )
    },
    async preview(zone, name, mail) {
      return nameFault(zone, name) ?? previewDomain(base, { zone, name, mail })
    },
    routingSettings: (zone) => routingSettings(store, zone),
    changeRoutingSettings: (zone, change, record) =>
      changeRoutingSettings(store, zone, { ...change, at: clock(), record }),
    mtaSts: (zone, domain) => viewMtaSts(base, zone, domain),
    async changeMtaSts(zone, domain, wish, record) {
      const changed = await changeMtaSts(base, { zone, domain, wish, record })
      domains.domainChanged(domain)
      return changed
    },
    keys: (domain, mail) => keysOf(store, { accountId: domain.accountId, domainId: domain.id, mail }),
    rotate,
    runDue: () => turns.run(),
  }
}

function optionsShown({ name, previewEnabled, dropSuppressedRecipients }: MailDomain) {
  return {
    name,
    preview_enabled: previewEnabled,
    drop_suppressed_recipients: dropSuppressedRecipients,
  }
}
