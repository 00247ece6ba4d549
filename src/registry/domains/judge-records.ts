import { hasInclude } from '#protocol/spf-record.ts'
import { dkimKeyIn, type ExpectedRecord, isDmarc, isSpf } from './onboarding-records.ts'
import { announces, isStsText } from './plan-sts.ts'
import type { Seen, SeenRecord } from './seen-records.ts'

/** How an expected record stands in DNS. `foreign`: somebody else's stands in its place. `conflicting`: one that
 *  competes with it. `multiple-spf`: more SPF records than one, which is as good as none (RFC 7208 §4.5).
 *  `unanswered`: DNS did not say. */
export type RecordState = 'ready' | 'missing' | 'foreign' | 'conflicting' | 'multiple-spf' | 'unanswered'

/** The codes are the original's (clients.md §4); those from the second of DMARC on are ours. */
export interface RecordProblem {
  readonly code:
    | 'mx.missing'
    | 'mx.foreign'
    | 'spf.missing'
    | 'spf.foreign'
    | 'spf.multiple'
    | 'dkim.missing'
    | 'dkim.conflict'
    | 'dmarc.missing'
    | 'dmarc.multiple'
    | 'spf.too_many_lookups'
    | 'mta_sts.missing'
    | 'mta_sts.conflict'
    | 'mta_sts.foreign'
  readonly missing?: ExpectedRecord
  readonly existing?: SeenRecord
  readonly multiple?: readonly SeenRecord[]
}

export interface JudgedRecord {
  readonly expected: ExpectedRecord
  readonly state: RecordState
}

export interface Judgement {
  readonly records: readonly JudgedRecord[]
  readonly problems: readonly RecordProblem[]
  /** Names that DNS did not answer for: with one of them the judgement is not complete. */
  readonly unanswered: readonly string[]
}

/** Compares what should be in DNS with what is. Records beside ours that do no harm are passed over. */
export function judgeRecords(expected: readonly ExpectedRecord[], seen: Seen, spfHost: string): Judgement {
  // An alias is told from what stands in its place.
  const at = (record: ExpectedRecord) =>
    seen.records.filter(
      ({ name, type }) => name === record.name && (type === record.type || record.type === 'CNAME'),
    )
  const records: JudgedRecord[] = []
  const problems: RecordProblem[] = []
  for (const record of expected) {
    if (seen.unanswered.includes(record.name)) {
      records.push({ expected: record, state: 'unanswered' })
      continue
    }
    const { state, problem } = JUDGES[record.role](record, at(record), { expected, spfHost })
    records.push({ expected: record, state })
    if (problem && !record.next) problems.push(problem)
  }
  return {
    records,
    problems: [...problems, ...foreignExchanges(expected, seen)],
    unanswered: seen.unanswered,
  }
}

interface Verdict {
  readonly state: RecordState
  readonly problem?: RecordProblem
}

interface Context {
  readonly expected: readonly ExpectedRecord[]
  readonly spfHost: string
}

const READY: Verdict = { state: 'ready' }

const JUDGES = {
  mx: judgeMx,
  spf: judgeSpf,
  dkim: judgeDkim,
  dmarc: judgeDmarc,
  sts: judgeSts,
  'sts-host': judgeStsHost,
} as const satisfies Record<
  ExpectedRecord['role'],
  (record: ExpectedRecord, there: readonly SeenRecord[], context: Context) => Verdict
>

/** The preference is the zone's owner's: any order of our hosts will do. */
function judgeMx(record: ExpectedRecord, there: readonly SeenRecord[], { expected }: Context): Verdict {
  if (there.some(({ content }) => content === record.content)) return READY
  const foreign = there.some((mx) => isForeign(mx, expected))
  return { state: foreign ? 'foreign' : 'missing', problem: { code: 'mx.missing', missing: record } }
}

function judgeSpf(record: ExpectedRecord, there: readonly SeenRecord[], { spfHost }: Context): Verdict {
  const all = there.filter(isSpf)
  const [existing, second] = all
  if (!existing) return { state: 'missing', problem: { code: 'spf.missing', missing: record } }
  if (second) return { state: 'multiple-spf', problem: { code: 'spf.multiple', multiple: all } }
  if (hasInclude(existing.content, spfHost)) return READY
  return { state: 'foreign', problem: { code: 'spf.foreign', existing, missing: record } }
}

/** RFC 6376 §3.6.2.2: with more than one record at a selector, what a verifier makes of it is undefined. */
function judgeDkim(record: ExpectedRecord, there: readonly SeenRecord[]): Verdict {
  const [existing, second] = there
  if (!existing) return { state: 'missing', problem: { code: 'dkim.missing', missing: record } }
  const key = dkimKeyIn(record.content)
  const other = there.find(({ content }) => dkimKeyIn(content) !== key)
  if (!second && !other) return READY
  return {
    state: 'conflicting',
    problem: { code: 'dkim.conflict', existing: other ?? existing, missing: record },
  }
}

/** Any policy is its owner's to choose; with more than one, none counts (RFC 7489 §6.6.3). */
function judgeDmarc(record: ExpectedRecord, there: readonly SeenRecord[]): Verdict {
  const policies = there.filter(isDmarc)
  if (policies.length === 0) return { state: 'missing', problem: { code: 'dmarc.missing', missing: record } }
  if (policies.length === 1) return READY
  return { state: 'conflicting', problem: { code: 'dmarc.multiple', multiple: policies } }
}

/** An id that is not the one of the policy that is served keeps senders with what they have (RFC 8461 §3.1). */
function judgeSts(record: ExpectedRecord, there: readonly SeenRecord[]): Verdict {
  const [existing, second] = there.filter(isStsText)
  if (!existing) return { state: 'missing', problem: { code: 'mta_sts.missing', missing: record } }
  if (announces(record, second ? [existing, second] : [existing])) return READY
  return { state: 'conflicting', problem: { code: 'mta_sts.conflict', existing, missing: record } }
}

function judgeStsHost(record: ExpectedRecord, [existing]: readonly SeenRecord[]): Verdict {
  if (!existing) return { state: 'missing', problem: { code: 'mta_sts.missing', missing: record } }
  if (existing.type === 'CNAME') return READY
  return { state: 'foreign', problem: { code: 'mta_sts.foreign', existing, missing: record } }
}

function foreignExchanges(expected: readonly ExpectedRecord[], seen: Seen): RecordProblem[] {
  return seen.records
    .filter((record) => isForeign(record, expected))
    .map((existing) => ({ code: 'mx.foreign', existing }))
}

/** An MX at a name of ours that is not one of ours: part of the mail would go there. */
export function isForeign(record: SeenRecord, expected: readonly ExpectedRecord[]): boolean {
  const ours = expected.filter(({ role, name }) => role === 'mx' && name === record.name)
  return record.type === 'MX' && ours.length > 0 && !ours.some(({ content }) => content === record.content)
}

/** A domain's standing with one service, in the words of the API. `misconfigured/locked`: something is wrong in DNS
 *  although the records are under our lock. */
export type StatusWord = 'ready' | 'unconfigured' | 'misconfigured' | 'misconfigured/locked' | 'unlocked'

/** `locks`: whether our records are under lock, were unlocked by their owner, or are not ours to lock. */
export function statusWord(
  problems: readonly RecordProblem[],
  locks: 'locked' | 'unlocked' | 'none',
): Exclude<StatusWord, 'unconfigured'> {
  // Who unlocked the records may put another provider's MX beside them (config-domains.md, Locked DNS records).
  const wrong = problems.some(({ code }) => locks !== 'unlocked' || code !== 'mx.foreign')
  if (wrong) return locks === 'locked' ? 'misconfigured/locked' : 'misconfigured'
  return locks === 'unlocked' ? 'unlocked' : 'ready'
}
