import type { ZoneContents } from './zone-contents.ts'
import type { SoaRecord, ZoneRecord } from './zone-record.ts'

/** What an authoritative server answers. `records` of an absence are the CNAMEs that led to it; `soa` is that of the
 *  zone where the name is absent. `refused`: no zone of ours. */
export type AuthorityAnswer =
  | { readonly kind: 'answer'; readonly records: readonly ZoneRecord[] }
  | {
      readonly kind: 'nodata' | 'nxdomain'
      readonly records: readonly ZoneRecord[]
      readonly soa: SoaRecord
    }
  | { readonly kind: 'refused' }

export interface Authority {
  /** `name` in any case, with or without the final dot; `type` as in `MX`; `ANY` gives one of the types there are. */
  answers(name: string, type: string): Promise<AuthorityAnswer>
}

/** The zone a name belongs to: the deepest of ours that it is in. */
export type FindZone = (name: string) => Promise<ZoneContents | undefined>

// Chains are followed while they stay in our zones (RFC 1034 §4.3.2); any of them may be a loop.
const CNAME_LINKS = 8

/** Answers from zones, as RFC 1034 §4.3.2 says; no wildcards, no delegations. */
export function authorityOver(findZone: FindZone): Authority {
  return {
    async answers(asked, type) {
      const chain: ZoneRecord[] = []
      let name = asked.toLowerCase().replace(/\.$/, '')
      for (let links = 0; links <= CNAME_LINKS; links++) {
        const zone = await findZone(name)
        if (!zone) break
        const step = answerFrom(zone, name, type)
        if (step.kind !== 'alias') return { ...step, records: [...chain, ...step.records] }
        chain.push(step.record)
        name = step.record.data.toLowerCase()
      }
      // A chain that left our zones is the asker's to follow.
      return chain.length > 0 ? { kind: 'answer', records: chain } : { kind: 'refused' }
    },
  }
}

type Alias = Extract<ZoneRecord, { readonly type: 'CNAME' }>
type Step = Exclude<AuthorityAnswer, { kind: 'refused' }> | { kind: 'alias'; record: Alias }

function answerFrom(zone: ZoneContents, name: string, type: string): Step {
  const { soa } = zone
  const here = zone.records.get(name)
  if (!here) {
    const exists = zone.emptyNonTerminals.has(name)
    return { kind: exists ? 'nodata' : 'nxdomain', records: [], soa }
  }
  // RFC 8482 §4.1: ANY deserves some answer, not all of them.
  const wanted = type === 'ANY' ? here[0]?.type : type
  const records = here.filter((record) => record.type === wanted)
  if (records.length > 0) return { kind: 'answer', records }
  const alias = here.find(isAlias)
  return alias ? { kind: 'alias', record: alias } : { kind: 'nodata', records: [], soa }
}

function isAlias(record: ZoneRecord): record is Alias {
  return record.type === 'CNAME'
}
