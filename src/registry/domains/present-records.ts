import type { Resolver } from '#net/resolver.ts'
import type { DnsProvider, ZoneRecordRow } from './dns-provider.ts'
import type { ExpectedRecord } from './onboarding-records.ts'
import { lookUpRecords, type SeenRecord } from './seen-records.ts'
import type { Zone } from './zones.ts'

/** A record that stands where onboarding wants to write. */
export interface PresentRecord extends SeenRecord {
  /** Its row, where we publish it; undefined where its owner does. */
  readonly row: ZoneRecordRow | undefined
}

export interface Present {
  readonly records: readonly PresentRecord[]
  readonly unanswered: readonly string[]
}

/** What stands at the names of `expected`: as our own tables say where we publish them, as DNS says elsewhere. */
export async function presentRecords(
  zone: Zone,
  expected: readonly ExpectedRecord[],
  { provider, resolver }: { provider: DnsProvider; resolver: Resolver },
): Promise<Present> {
  const names = new Set(expected.map(({ name }) => name))
  const rows = await provider.records(zone)
  const elsewhere = await lookUpRecords(
    expected.filter(({ name }) => !provider.publishes(zone, name)),
    resolver,
  )
  return {
    records: [
      ...rows
        .filter(({ name }) => names.has(name) && provider.publishes(zone, name))
        .map((row) => {
          const { name, type, content, priority } = row
          return { name, type, content, priority, row }
        }),
      ...elsewhere.records.map((record) => ({ ...record, row: undefined })),
    ],
    unanswered: elsewhere.unanswered,
  }
}
