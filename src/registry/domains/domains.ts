import type { SigningIdentity } from '#model/draft.ts'
import type { ServiceNames } from '#model/service.ts'
import type { Store } from '#store/store.ts'
import type { Vault } from '#vault/vault.ts'
import { type Authority, authorityOver } from './authority.ts'
import { authorityResolver } from './authority-resolver.ts'
import { briefCache } from './brief-cache.ts'
import { findServiceKey, generateDkimKey, keyring, keyWrite, SERVICE_KEY } from './dkim-key.ts'
import { type DnsProvider, openDnsProviders } from './dns-provider.ts'
import { openDomainHolders } from './domain-holder.ts'
import { openHostedZones } from './hosted-zones.ts'
import { type Onboarding, onboard } from './onboard.ts'
import type { MailService } from './onboarding-records.ts'
import type { OwnershipLookups } from './ownership.ts'
import { findRoutedDomain, type RoutedDomain } from './routed-domain.ts'
import { openSenderDomains, type SenderDomain } from './sender-domain.ts'
import type { ServiceAddresses } from './service-zone.ts'
import { openStsPolicies } from './sts-policies.ts'
import { openZoneControl, type ZoneControl } from './zone-control.ts'
import {
  accountOfZone,
  createZone,
  findZone,
  type Zone,
  type ZoneCreation,
  type ZoneOptions,
  zonesOf,
} from './zones.ts'

/** Zones, domains, their DNS records and their keys. In: proven names. Out: who may send as what, signed by which
 *  key, which account holds a name, and what DNS says about it. Promise: a zone that is not active neither sends nor answers, and a name is active
 *  in one account at a time (promise 6); what this process changed it sees at once, other processes within 5 s. */
export interface Domains {
  createZone(accountId: string, name: string, options: ZoneOptions): Promise<ZoneCreation>
  zone(accountId: string, zoneId: string): Promise<Zone | undefined>
  zones(accountId: string): Promise<Zone[]>
  /** Whose zone it is; undefined for an id that is none's. From memory for 5 s at most. It looks across accounts, so its
   *  answer is for asking whether the asker may act there, and not to be told. */
  accountOfZone(zoneId: string): Promise<string | undefined>
  /** The zone's road to DNS. */
  dnsProvider(zone: Zone): DnsProvider
  /** What owners do with zones and the records in them. */
  readonly zoneControl: ZoneControl
  /** To be called after records of a zone were changed in a commit of one's own: this process answers from it at once. */
  recordsChanged(zoneId: string): void
  /** The same after a domain's status, options, keys or records were changed. */
  domainChanged(domain: Pick<DomainRequest, 'accountId' | 'zoneId' | 'name'>): void
  onboardSending(request: DomainRequest): Promise<Onboarding>
  onboardRouting(request: DomainRequest): Promise<Onboarding>
  /** The hot path of sending: answers from memory for 5 s at most. */
  senderDomain(accountId: string, name: string): Promise<SenderDomain>
  /** The account in which the name (lower-case A-labels, matched exactly) is active, one account at a time: its zone
   *  is active, and its sending active or disabled or its routing active. From memory for 5 s at most. It looks across
   *  accounts, so its answer is for choosing among the accounts that the asker may act in, and not to be told. */
  holder(name: string): Promise<string | undefined>
  /** The MTA-STS policy that is served at a host, such as `mta-sts.example.com` in lower-case A-labels; undefined where
   *  none of ours is. From memory for 5 s at most. It looks across accounts, and what it says is public. */
  policyAt(host: string): Promise<string | undefined>
  /** The domain of that name (lower-case A-labels, matched exactly) whose mail comes to our MX. It looks across accounts:
   *  strangers write to it. */
  routedDomain(name: string): Promise<RoutedDomain | undefined>
  /** The key of `email.<service>`, made on the first call. */
  ensureServiceKeys(): Promise<SigningIdentity>
  readonly authority: Authority
}

export interface DomainRequest {
  readonly accountId: string
  readonly zoneId: string
  /** As `parseDomainName` gives it; the zone's own name or one below it. */
  readonly name: string
  /** Whether it works at once (development), or once its records were seen in DNS. */
  readonly active: boolean
  /** Nothing where it was set up before, whatever became of it. */
  readonly once?: boolean
}

export interface DomainsWorld {
  readonly store: Store
  readonly vault: Vault
  readonly service: ServiceNames
  /** What the service zone publishes; `LOOPBACK_ADDRESSES` in development. */
  readonly addresses: ServiceAddresses
  /** Milliseconds since 1970. */
  readonly clock: () => number
  /** Whom to ask whose a zone is. Absent in development, where every zone is its maker's at once. */
  readonly ownership?: OwnershipLookups
}

// Strangers choose the ids that are asked for.
const OWNERS_KEPT = 10_000

export function openDomains(world: DomainsWorld): Domains {
  const { store, vault, service, clock } = world
  const keys = keyring(vault)
  const hosted = openHostedZones(world)
  const senders = openSenderDomains({ store, service, clock, identity: (row) => keys.identity(row) })
  const holders = openDomainHolders({ store, clock })
  const policies = openStsPolicies({ store, service, clock })
  const dnsProvider = openDnsProviders(store)
  const owners = briefCache<string | undefined>({ max: OWNERS_KEPT, clock })
  const authority = authorityOver((name) => hosted.find(name))
  // What is not in our zones nobody asks about here.
  const own = authorityResolver(authority, { kind: 'no-such-name' })
  const zoneControl = openZoneControl({
    ...{ store, service, clock, ownership: world.ownership, dnsProvider },
    contentsChanged: (zoneId) => hosted.forget(zoneId),
    zoneChanged(zone, names) {
      owners.forget(zone.id)
      hosted.forget(zone.id)
      for (const name of names) {
        senders.forget(zone.accountId, name)
        holders.forget(name)
        policies.forget(name)
      }
    },
  })

  async function onboardFor(mail: MailService, request: DomainRequest): Promise<Onboarding> {
    const result = await onboard({ ...world, dnsProvider, resolver: own }, { ...request, mail })
    domainChanged(request)
    return result
  }

  function domainChanged({
    accountId,
    zoneId,
    name,
  }: Pick<DomainRequest, 'accountId' | 'zoneId' | 'name'>): void {
    senders.forget(accountId, name)
    holders.forget(name)
    policies.forget(name)
    hosted.forget(zoneId)
  }

  let hasServiceKeys = false
  async function ensureServiceKeys(): Promise<SigningIdentity> {
    for (;;) {
      const found = await findServiceKey(store, service.email)
      if (found) {
        // Another process may have made it since the service's zone was read here.
        if (!hasServiceKeys) hosted.forgetService()
        hasServiceKeys = true
        return keys.identity(found)
      }
      const owner = {
        domainId: null,
        accountId: null,
        domainName: service.email,
        selector: SERVICE_KEY.selector,
      }
      // A conflict means that another process made it first; either way it is there now.
      await store.commit([keyWrite(owner, await generateDkimKey(), { vault, at: clock() })])
    }
  }

  return {
    async createZone(accountId, name, options) {
      const creation = await createZone(world, accountId, name, options)
      if (creation.kind === 'created') owners.forget(creation.zone.id)
      return creation
    },
    zone: (accountId, zoneId) => findZone(store, accountId, zoneId),
    zones: (accountId) => zonesOf(store, accountId),
    accountOfZone: (zoneId) => owners.get(zoneId, () => accountOfZone(store, zoneId)),
    dnsProvider,
    zoneControl,
    recordsChanged: (zoneId) => hosted.forget(zoneId),
    domainChanged,
    onboardSending: (request) => onboardFor('sending', request),
    onboardRouting: (request) => onboardFor('routing', request),
    senderDomain: (accountId, name) => senders.senderDomain(accountId, name),
    holder: (name) => holders.holder(name),
    policyAt: (host) => policies.at(host),
    routedDomain: (name) => findRoutedDomain({ store, identity: (row) => keys.identity(row) }, name),
    ensureServiceKeys,
    authority,
  }
}
