import { stsPolicyId, writeStsPolicy } from '#protocol/mta-sts.ts'
import type { StsWorld } from './change-mta-sts.ts'
import type { DomainCheck } from './dns-check.ts'
import { judgeRecords } from './judge-records.ts'
import type { MailDomain } from './mail-domain.ts'
import { type MtaSts, mtaStsOf, policyHost, policyOf, stsRecords } from './mta-sts.ts'
import { lookUpRecords } from './seen-records.ts'
import type { Zone } from './zones.ts'

/** A domain's setting, the policy that follows from it, and how what announces it stands in DNS now. */
export interface MtaStsView extends Pick<DomainCheck, 'records' | 'problems' | 'unanswered'> {
  readonly setting: MtaSts
  /** Undefined while it is off. */
  readonly policy: { readonly id: string; readonly text: string } | undefined
  readonly url: string
}

export async function viewMtaSts(
  { store, service, resolver, dnsProvider }: Omit<StsWorld, 'clock'>,
  zone: Zone,
  domain: MailDomain,
): Promise<MtaStsView> {
  const setting = await mtaStsOf(store, domain)
  const policy = policyOf(service, setting)
  const expected = policy ? stsRecords(domain.name, service, policy) : []
  const judged = judgeRecords(expected, await lookUpRecords(expected, resolver), service.spf)
  const rows = await dnsProvider(zone).records(zone)
  return {
    setting,
    policy: policy && { id: stsPolicyId(domain.name, policy), text: writeStsPolicy(policy) },
    url: `https://${policyHost(domain.name)}/.well-known/mta-sts.txt`,
    ...judged,
    records: judged.records.map((record) => ({
      ...record,
      locked: rows.some(
        ({ locked, name, type, content }) =>
          locked &&
          name === record.expected.name &&
          type === record.expected.type &&
          content === record.expected.content,
      ),
    })),
  }
}
