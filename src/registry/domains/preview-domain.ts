import type { ServiceNames } from '#model/service.ts'
import type { Resolver } from '#net/resolver.ts'
import { hasInclude, SPF_LOOKUPS } from '#protocol/spf-record.ts'
import type { Store } from '#store/store.ts'
import { countSpfLookups } from './count-spf-lookups.ts'
import { keysOf } from './dkim-key.ts'
import type { DnsProvider } from './dns-provider.ts'
import { judgeRecords, type RecordProblem } from './judge-records.ts'
import { findDomainNamed, type MailDomain } from './mail-domain.ts'
import { stsRecordsOf } from './mta-sts.ts'
import {
  type ExpectedRecord,
  expectedRecords,
  isSpf,
  type MailService,
  type PublishedKey,
  SELECTOR,
} from './onboarding-records.ts'
import { planRecords } from './plan-records.ts'
import { type PresentRecord, presentRecords } from './present-records.ts'
import { lookUpRecords } from './seen-records.ts'
import type { Zone } from './zones.ts'

/** What onboarding would do, before anything is written. */
export interface DomainPreview {
  /** As they would be: the SPF record merged into what is there, the DKIM record without content until its key is made. */
  readonly records: readonly ExpectedRecord[]
  readonly problems: readonly RecordProblem[]
  readonly unanswered: readonly string[]
  readonly spf: SpfPreview
}

export interface SpfPreview {
  /** The domain's own record, where it has one. */
  readonly existing: string | null
  readonly merged: string
  /** What the merged record would have verifiers ask, and how much they do (RFC 7208 §4.6.4). */
  readonly lookups: number
  readonly limit: number
}

export interface PreviewWorld {
  readonly store: Store
  readonly service: ServiceNames
  readonly dnsProvider: (zone: Zone) => DnsProvider
  readonly resolver: Resolver
}

export async function previewDomain(
  world: PreviewWorld,
  { zone, name, mail }: { zone: Zone; name: string; mail: MailService },
): Promise<DomainPreview> {
  const { store, service, resolver } = world
  const scope = { accountId: zone.accountId, zoneId: zone.id }
  const domain = await findDomainNamed(store, scope, name)
  const keys = await keysToShow(store, domain, mail)
  const expected = [
    ...expectedRecords(mail, name, { service, keys }),
    ...(domain && mail === 'routing' ? await stsRecordsOf(store, domain, service) : []),
  ]
  const present = await presentRecords(zone, expected, { provider: world.dnsProvider(zone), resolver })
  const records = withMergedSpf(expected, present.records, service)
  const judged = judgeRecords(records, await lookUpRecords(records, resolver), service.spf)
  const merged = records.find(({ role }) => role === 'spf')?.content ?? ''
  const existing = present.records.find((record) => record.name === spfName(expected) && isSpf(record))
  const { lookups } = await countSpfLookups(merged, (host) => resolver.txt(host))
  const plan = planRecords(mail, expected, { present: present.records, spfHost: service.spf })
  return {
    records,
    problems: [
      ...judged.problems,
      ...(plan.merge && lookups > SPF_LOOKUPS
        ? [{ code: 'spf.too_many_lookups' as const, existing: plan.merge.existing }]
        : []),
    ],
    unanswered: [...new Set([...judged.unanswered, ...present.unanswered])],
    spf: { existing: existing?.content ?? null, merged, lookups, limit: SPF_LOOKUPS },
  }
}

async function keysToShow(
  store: Store,
  domain: MailDomain | undefined,
  mail: MailService,
): Promise<readonly PublishedKey[]> {
  const keys = domain ? await keysOf(store, { accountId: domain.accountId, domainId: domain.id, mail }) : []
  const shown = keys
    .filter(({ state }) => state === 'active' || state === 'publishing')
    .map(({ selector, public_key, state }) => ({
      selector,
      publicKey: public_key,
      next: state === 'publishing',
    }))
  return shown.length > 0 ? shown : [{ selector: SELECTOR[mail], publicKey: undefined }]
}

function spfName(expected: readonly ExpectedRecord[]): string | undefined {
  return expected.find(({ role }) => role === 'spf')?.name
}

/** The records to publish: the domain's own SPF record, if it has one, with our include in it. */
export function withMergedSpf(
  expected: readonly ExpectedRecord[],
  present: readonly PresentRecord[],
  service: ServiceNames,
): ExpectedRecord[] {
  const { merge } = planRecords('routing', expected, { present, spfHost: service.spf })
  const there = present.find(
    (record) => record.name === spfName(expected) && isSpf(record) && hasInclude(record.content, service.spf),
  )
  const content = merge?.content ?? there?.content
  return expected.map((record) =>
    record.role === 'spf' && content !== undefined ? { ...record, content } : record,
  )
}
