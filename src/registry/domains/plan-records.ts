import { hasInclude, withInclude } from '#protocol/spf-record.ts'
import { isForeign } from './judge-records.ts'
import { dkimKeyIn, type ExpectedRecord, isDmarc, isSpf, type MailService } from './onboarding-records.ts'
import { planSts } from './plan-sts.ts'
import type { PresentRecord } from './present-records.ts'
import type { SeenRecord } from './seen-records.ts'

/** What onboarding does to the records that are there. */
export interface RecordPlan {
  /** Records of others that compete with ours: with one of them nothing is done. */
  readonly conflicts: readonly SeenRecord[]
  readonly put: readonly ExpectedRecord[]
  /** An SPF record of the domain's own, which gets our include. */
  readonly merge: SpfMerge | undefined
  /** Ours, from before the service changed its names. */
  readonly stale: readonly PresentRecord[]
  /** Ours, unlocked by their owner. */
  readonly lock: readonly PresentRecord[]
}

export interface SpfMerge {
  readonly existing: PresentRecord
  readonly content: string
}

/** `spfHost`: the name whose include authorises us. */
export function planRecords(
  mail: MailService,
  expected: readonly ExpectedRecord[],
  { present, spfHost }: { readonly present: readonly PresentRecord[]; readonly spfHost: string },
): RecordPlan {
  const plan = planMail(
    mail,
    expected.filter((record) => !isSts(record)),
    { present, spfHost },
  )
  // What stands in the way of a policy is no reason to keep mail out.
  const { conflicts, put, stale } = planSts(expected.filter(isSts), present)
  if (conflicts.length > 0) return plan
  return { ...plan, put: [...plan.put, ...put], stale: [...plan.stale, ...stale] }
}

function isSts({ role }: ExpectedRecord): boolean {
  return role === 'sts' || role === 'sts-host'
}

function planMail(
  mail: MailService,
  expected: readonly ExpectedRecord[],
  { present: all, spfHost }: { readonly present: readonly PresentRecord[]; readonly spfHost: string },
): RecordPlan {
  const present = all.filter(({ name }) => expected.some((wanted) => wanted.name === name))
  const stale = present.filter(
    (record) =>
      record.row?.purpose === mail &&
      record.row.locked &&
      !expected.some(
        (wanted) => isSame(wanted, record) || (wanted.role === 'spf' && isMerged(record, spfHost)),
      ),
  )
  const there = present.filter((record) => !stale.includes(record))
  const spf = expected.find(({ role }) => role === 'spf')
  const spfs = there.filter((record) => record.name === spf?.name && isSpf(record))
  const [existing] = spfs
  const merge =
    existing && !hasInclude(existing.content, spfHost)
      ? { existing, content: withInclude(existing.content, spfHost) }
      : undefined
  return {
    conflicts: [
      ...there.filter(({ type }) => type === 'CNAME'),
      ...there.filter((record) => isForeign(record, expected)),
      // Which of two would be the one to merge into, only their owner knows (RFC 7208 §4.5).
      ...(spfs.length > 1 ? spfs : []),
      ...there.filter((record) => isOtherKey(record, expected)),
    ],
    put: expected.filter((wanted) => isMissing(wanted, there, spfHost)),
    merge,
    stale,
    lock: there.filter(
      (record) =>
        record.row?.purpose === mail &&
        !record.row.locked &&
        expected.some((wanted) => wanted.locked && isSame(wanted, record)),
    ),
  }
}

function isMissing(wanted: ExpectedRecord, there: readonly PresentRecord[], spfHost: string): boolean {
  if (wanted.role === 'dmarc') return !there.some((record) => record.name === wanted.name && isDmarc(record))
  // One that is there is merged, or is a conflict.
  if (wanted.role === 'spf')
    return !there.some(
      (record) => record.name === wanted.name && (isSpf(record) || isMerged(record, spfHost)),
    )
  return !there.some((record) => isSame(wanted, record))
}

function isMerged(record: SeenRecord, spfHost: string): boolean {
  return record.type === 'TXT' && hasInclude(record.content, spfHost)
}

function isOtherKey(record: SeenRecord, expected: readonly ExpectedRecord[]): boolean {
  const ours = expected.find(({ role, name }) => role === 'dkim' && name === record.name)
  return ours !== undefined && record.type === 'TXT' && dkimKeyIn(record.content) !== dkimKeyIn(ours.content)
}

/** The same record, or one that says the same: DKIM keys are spelled in many ways. */
function isSame(wanted: ExpectedRecord, record: SeenRecord): boolean {
  if (wanted.name !== record.name || wanted.type !== record.type) return false
  if (wanted.role === 'dkim') return dkimKeyIn(wanted.content) === dkimKeyIn(record.content)
  return wanted.content === record.content
}
