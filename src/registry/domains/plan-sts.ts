import { readStsId } from '#protocol/mta-sts.ts'
import type { ExpectedRecord } from './onboarding-records.ts'
import type { PresentRecord } from './present-records.ts'
import type { SeenRecord } from './seen-records.ts'

/** What announcing a policy does to the records that are there. */
export interface StsPlan {
  /** Records of others in the place of ours. */
  readonly conflicts: readonly SeenRecord[]
  readonly put: readonly ExpectedRecord[]
  /** Ours, of another policy. */
  readonly stale: readonly PresentRecord[]
}

/** `expected` as `stsRecords` gives them. */
export function planSts(expected: readonly ExpectedRecord[], present: readonly PresentRecord[]): StsPlan {
  const plans = expected.map((wanted) => {
    const here = present.filter(({ name }) => name === wanted.name)
    const good = here.filter((record) => saysTheSame(wanted, record))
    const others = here.filter((record) => !good.includes(record))
    const stale = others.filter(({ row }) => row?.purpose === 'routing' && row.locked)
    return {
      conflicts: others.filter((record) => !stale.includes(record) && competes(wanted, record)),
      put: good.length > 0 ? [] : [wanted],
      stale,
    }
  })
  return {
    conflicts: plans.flatMap(({ conflicts }) => conflicts),
    put: plans.flatMap(({ put }) => put),
    stale: plans.flatMap(({ stale }) => stale),
  }
}

/** A name that leads to the service's own record does as well as a record (RFC 8461 §8.2). */
export function saysTheSame(wanted: ExpectedRecord, record: SeenRecord): boolean {
  if (record.type === 'CNAME') return record.content === (wanted.instead?.alias ?? wanted.content)
  return wanted.role === 'sts' && record.type === 'TXT' && announces(wanted, [record])
}

/** Whether these TXT records are read as the policy that is wanted, or as the service's own. */
export function announces(wanted: ExpectedRecord, texts: readonly SeenRecord[]): boolean {
  const id = readStsId(texts.map(({ content }) => content))
  return id !== undefined && (id === readStsId([wanted.content]) || id === wanted.instead?.id)
}

/** RFC 8461 §3.1: texts of other kinds do no harm, and two of this kind are none. */
export function isStsText({ type, content }: Pick<SeenRecord, 'type' | 'content'>): boolean {
  return type === 'TXT' && content.startsWith('v=STSv1')
}

/** An alias stands alone at its name, and whatever else stands at the host's name leads elsewhere. A manual zone's old id
 *  is for its owner to change, and in nobody's way. */
function competes(wanted: ExpectedRecord, record: PresentRecord): boolean {
  if (record.type === 'CNAME' || wanted.role === 'sts-host') return true
  return record.row !== undefined && isStsText(record)
}
