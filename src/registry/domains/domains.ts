import type { SigningIdentity } from '#model/draft.ts'
import type { ServiceNames } from '#model/service.ts'
import type { Store } from '#store/store.ts'
import type { Vault } from '#vault/vault.ts'
import { type Authority, authorityOver } from './authority.ts'
import { findServiceKey, generateDkimKey, keyring, keyWrite, SERVICE_KEY } from './dkim-key.ts'
import { openDomainHolders } from './domain-holder.ts'
import { openHostedZones } from './hosted-zones.ts'
import { type Onboarding, onboard } from './onboard.ts'
import type { MailService } from './onboarding-records.ts'
import { openSenderDomains, type SenderDomain } from './sender-domain.ts'
import type { ServiceAddresses } from './service-zone.ts'
import { createZone, findZone, type Zone, type ZoneCreation, zonesOf } from './zones.ts'

/** Zones, domains, their DNS records and their keys. In: proven names. Out: who may send as what, signed by which
 *  key, which account holds a name, and what DNS says about it. Promise: a zone that is not active neither sends nor answers, and a name is active
 *  in one account at a time (promise 6); what this process changed it sees at once, other processes within 5 s. */
export interface Domains {
  createZone(accountId: string, name: string, options: { readonly active: boolean }): Promise<ZoneCreation>
  zone(accountId: string, zoneId: string): Promise<Zone | undefined>
  zones(accountId: string): Promise<Zone[]>
  onboardSending(request: DomainRequest): Promise<Onboarding>
  onboardRouting(request: DomainRequest): Promise<Onboarding>
  /** The hot path of sending: answers from memory for 5 s at most. */
  senderDomain(accountId: string, name: string): Promise<SenderDomain>
  /** The account in which the name (lower-case A-labels, matched exactly) is active, one account at a time: its zone
   *  is active, and its sending active or disabled or its routing active. From memory for 5 s at most. It looks across
   *  accounts, so its answer is for choosing among the accounts that the asker may act in, and not to be told. */
  holder(name: string): Promise<string | undefined>
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
}

export interface DomainsWorld {
  readonly store: Store
  readonly vault: Vault
  readonly service: ServiceNames
  /** What the service zone publishes; `LOOPBACK_ADDRESSES` in development. */
  readonly addresses: ServiceAddresses
  /** Milliseconds since 1970. */
  readonly clock: () => number
}

export function openDomains(world: DomainsWorld): Domains {
  const { store, vault, service, clock } = world
  const keys = keyring(vault)
  const hosted = openHostedZones(world)
  const senders = openSenderDomains({ store, service, clock, identity: (row) => keys.identity(row) })
  const holders = openDomainHolders({ store, clock })

  async function onboardFor(mail: MailService, request: DomainRequest): Promise<Onboarding> {
    const result = await onboard(world, { ...request, mail })
    senders.forget(request.accountId, request.name)
    holders.forget(request.name)
    hosted.forget(request.zoneId)
    return result
  }

  async function ensureServiceKeys(): Promise<SigningIdentity> {
    for (;;) {
      const found = await findServiceKey(store, service.email)
      if (found) return keys.identity(found)
      const owner = {
        domainId: null,
        accountId: null,
        domainName: service.email,
        selector: SERVICE_KEY.selector,
      }
      // A conflict means that another process made it first; either way it is there now.
      await store.commit([keyWrite(owner, await generateDkimKey(), { vault, at: clock() })])
      hosted.forgetService()
    }
  }

  return {
    createZone: (accountId, name, options) => createZone(world, accountId, name, options),
    zone: (accountId, zoneId) => findZone(store, accountId, zoneId),
    zones: (accountId) => zonesOf(store, accountId),
    onboardSending: (request) => onboardFor('sending', request),
    onboardRouting: (request) => onboardFor('routing', request),
    senderDomain: (accountId, name) => senders.senderDomain(accountId, name),
    holder: (name) => holders.holder(name),
    ensureServiceKeys,
    authority: authorityOver((name) => hosted.find(name)),
  }
}
