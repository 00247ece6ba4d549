import type { ServiceNames } from '#model/service.ts'
import type { Store } from '#store/store.ts'
import { checkPendingZones, checkZone, type NoteZone } from './activate-zone.ts'
import { changeZone, type ZoneChange, type ZoneWish } from './change-zone.ts'
import { delegatedNames } from './delegated-names.ts'
import type { DnsProvider } from './dns-provider.ts'
import { challenge, type OwnershipLookups } from './ownership.ts'
import { domainNames, removeZone } from './remove-zone.ts'
import { zoneNameServers } from './service-zone.ts'
import { openZoneRecords, type ZoneRecords } from './zone-records.ts'
import { createZone, type Zone, type ZoneCreation, type ZoneOptions } from './zones.ts'

/** What owners do with their zones. In: a name that somebody says is theirs. Out: a zone, which stays inert until public
 *  DNS has proven whose it is; in development, where nobody asks DNS, it works at once. */
export interface ZoneControl {
  claim(
    accountId: string,
    name: string,
    options: Omit<ZoneOptions, 'active'>,
    note?: NoteZone,
  ): Promise<ZoneCreation>
  /** Looks for proof now, unless that was done a moment ago. The zone as it is then. */
  check(zone: Zone, note?: NoteZone): Promise<Zone>
  /** The same for pending zones whose turn has come; resolves with how many became active. */
  checkPending(note?: NoteZone): Promise<number>
  /** Another road to DNS. Where that is ours now, the records of its domains are to be written anew (`MailSetup.mend`). */
  change(zone: Zone, wish: ZoneWish, note?: NoteZone): Promise<ZoneChange>
  /** False where it was gone already. */
  remove(zone: Zone, note?: NoteZone): Promise<boolean>
  /** What proves it, and where to delegate it to. */
  proofOf(zone: Zone): ZoneProof
  readonly records: ZoneRecords
}

export interface ZoneProof {
  readonly txt: { readonly name: string; readonly content: string }
  readonly nameServers: readonly string[]
  /** The names to delegate where the zone itself stays with another DNS provider; as many as it has. */
  delegatedNames(): Promise<readonly string[]>
}

export interface ZoneControlWorld {
  readonly store: Store
  readonly service: ServiceNames
  readonly clock: () => number
  /** Absent in development: nothing is asked, and a zone is active at once. */
  readonly ownership?: OwnershipLookups | undefined
  readonly dnsProvider: (zone: Zone) => DnsProvider
  /** After what DNS answers from the zone has changed. */
  readonly contentsChanged: (zoneId: string) => void
  /** After the zone was made, went, or began or ceased to be active, with the names of its domains. */
  readonly zoneChanged: (zone: Zone, domains: readonly string[]) => void
}

const CHECK_AGAIN_MS = 10_000

export function openZoneControl(world: ZoneControlWorld): ZoneControl {
  const { store, service, clock, ownership, dnsProvider, contentsChanged } = world
  const quiet: NoteZone = () => []

  function activation(lookups: OwnershipLookups, note: NoteZone) {
    return { store, service, clock, lookups, note, changed }
  }

  async function changed(zone: Zone): Promise<void> {
    world.zoneChanged(zone, await domainNames(store, zone))
  }

  return {
    async claim(accountId, name, options, note = quiet) {
      const active = ownership === undefined
      const creation = await createZone(world, accountId, name, { ...options, active }, (after) =>
        note({ after, at: after.createdAt }),
      )
      if (creation.kind === 'created') world.zoneChanged(creation.zone, [])
      return creation
    },

    async check(zone, note = quiet) {
      const lately = zone.checkedAt !== null && clock() - zone.checkedAt < CHECK_AGAIN_MS
      return !ownership || lately ? zone : checkZone(activation(ownership, note), zone)
    },

    async checkPending(note = quiet) {
      return ownership ? checkPendingZones(activation(ownership, note)) : 0
    },

    async change(zone, wish, note = quiet) {
      const change = await changeZone(world, { zone, wish, note })
      if (change.kind === 'changed') await changed(change.zone)
      return change
    },

    async remove(zone, note = quiet) {
      const names = await domainNames(store, zone)
      const removed = await removeZone(store, zone, note({ before: zone, at: clock() }))
      if (removed) world.zoneChanged(zone, names)
      return removed
    },

    proofOf: (zone) => ({
      txt: challenge(zone),
      nameServers: zoneNameServers(service, zone.id),
      async delegatedNames() {
        if (zone.type === 'full' || zone.dns === 'manual') return []
        return delegatedNames(zone.name, await dnsProvider(zone).records(zone))
      },
    }),

    records: openZoneRecords({ store, clock, provider: dnsProvider, changed: contentsChanged }),
  }
}
