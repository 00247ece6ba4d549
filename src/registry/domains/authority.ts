import { parent, type ZoneContents } from './zone-contents.ts'
import type { SoaRecord, ZoneRecord } from './zone-record.ts'

/** What an authoritative server answers. `records` of an absence and of a referral are the CNAMEs that led to it; `soa`
 *  is that of the zone where the name is absent. `refused`: no zone of ours. */
export type AuthorityAnswer =
  | { readonly kind: 'answer'; readonly records: readonly ZoneRecord[] }
  | {
      readonly kind: 'nodata' | 'nxdomain'
      readonly records: readonly ZoneRecord[]
      readonly soa: SoaRecord
    }
  | {
      /** The name lies in a part of the zone that was delegated to others. */
      readonly kind: 'referral'
      readonly records: readonly ZoneRecord[]
      readonly nameServers: readonly ZoneRecord[]
      /** Addresses of those name servers whose names lie in the zone itself. */
      readonly glue: readonly ZoneRecord[]
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
// What a referral carries besides its name servers; a resolver looks up the others.
const MOST_GLUE = 8

/** Answers from zones, as RFC 1034 §4.3.2 says, with wildcards (RFC 4592) and referrals. */
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

type Alias = Extract<ZoneRecord, { readonly type: 'CNAME' | 'NS' | 'PTR' }>
type Step = Exclude<AuthorityAnswer, { kind: 'refused' }> | { kind: 'alias'; record: Alias }

function answerFrom(zone: ZoneContents, name: string, type: string): Step {
  const { soa } = zone
  const cut = delegationAbove(zone, name)
  // RFC 4035 §3.1.4.1: of a delegated name, DS alone is the delegating zone's to answer.
  if (cut && !(cut.name === name && type === 'DS')) return referral(zone, cut.nameServers)
  const here = zone.records.get(name) ?? fromWildcard(zone, name)
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

/** The delegation nearest to the apex counts: what lies below it is not ours to answer. */
function delegationAbove(zone: ZoneContents, name: string) {
  if (zone.delegations.size === 0) return undefined
  let found: { readonly name: string; readonly nameServers: readonly ZoneRecord[] } | undefined
  for (let above = name; above !== zone.apex && above !== ''; above = parent(above)) {
    const nameServers = zone.delegations.get(above)
    if (nameServers) found = { name: above, nameServers }
  }
  return found
}

function referral(zone: ZoneContents, nameServers: readonly ZoneRecord[]): Step {
  const glue = nameServers
    .flatMap((server) => (server.type === 'NS' ? (zone.records.get(server.data) ?? []) : []))
    .filter(({ type }) => type === 'A' || type === 'AAAA')
  return { kind: 'referral', records: [], nameServers, glue: glue.slice(0, MOST_GLUE) }
}

/** RFC 4592 §3.3.1: for a name that does not exist, the star below the closest name above it that does. */
function fromWildcard(zone: ZoneContents, name: string): readonly ZoneRecord[] | undefined {
  if (!zone.wildcards || zone.emptyNonTerminals.has(name)) return undefined
  for (let above = parent(name); above !== ''; above = parent(above)) {
    if (!zone.records.has(above) && !zone.emptyNonTerminals.has(above)) continue
    return zone.records.get(`*.${above}`)?.map((record) => ({ ...record, name }))
  }
  return undefined
}

function isAlias(record: ZoneRecord): record is Alias {
  return record.type === 'CNAME'
}
