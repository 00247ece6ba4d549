import type { RecordErrorBody } from '#contract/onboarding-records.ts'

/** With one of these a domain is not onboarded: its owner has to decide. */
const BLOCKERS: ReadonlySet<RecordErrorBody['code']> = new Set([
  'mx.foreign',
  'spf.multiple',
  'dkim.conflict',
  'spf.too_many_lookups',
])

export function blocks({ code }: RecordErrorBody): boolean {
  return BLOCKERS.has(code)
}

export interface CompetingRecord {
  readonly type: string
  readonly name: string
  readonly content: string
}

const COMPETITORS: ReadonlySet<RecordErrorBody['code']> = new Set([
  'mx.foreign',
  'spf.multiple',
  'dkim.conflict',
  'dmarc.multiple',
  'mta_sts.conflict',
  'mta_sts.foreign',
])

/** What is there and should not be, or not all of it; each once. */
export function competingRecords(errors: readonly RecordErrorBody[]): readonly CompetingRecord[] {
  const found = errors
    .filter(({ code }) => COMPETITORS.has(code))
    .flatMap(({ existing, multiple = [] }) => (existing ? [existing, ...multiple] : multiple))
    .map(({ type, name, content = '' }) => ({ type, name, content }))
  return [...new Map(found.map((record) => [Object.values(record).join(' '), record])).values()]
}

/** Each a sentence that says what to do. What is merely missing is not among them. */
export function recordProblems(errors: readonly RecordErrorBody[]): readonly string[] {
  return [...new Set(errors.map(problemText).filter((text) => text !== undefined))]
}

function problemText({ code, missing, existing, multiple = [] }: RecordErrorBody): string | undefined {
  const at = existing?.name ?? missing?.name ?? multiple[0]?.name ?? ''
  switch (code) {
    case 'mx.missing':
    case 'spf.missing':
    case 'dkim.missing':
    case 'dmarc.missing':
    case 'mta_sts.missing':
      return undefined
    case 'mx.foreign':
      return `Part of the mail goes to another server: remove MX ${at} ${existing?.content}.`
    case 'spf.foreign':
      return `The SPF record at ${at} lets others send and not this service: change “${existing?.content}” to the one below.`
    case 'spf.multiple':
      return `${at} has ${multiple.length} SPF records, which count as none: make one of ${multiple.map(({ content }) => `“${content}”`).join(' and ')}.`
    case 'dkim.conflict':
      return `Another key stands at ${at}: leave the TXT record below alone there.`
    case 'dmarc.multiple':
      return `${at} has ${multiple.length} DMARC records, which count as none: keep one.`
    case 'mta_sts.conflict':
      return `The record at ${at} is not that of the policy: leave the one below alone there.`
    case 'mta_sts.foreign':
      return `${existing?.type} ${at} leads senders elsewhere for the policy of MTA-STS: make it the one below.`
    case 'spf.too_many_lookups':
      return `The SPF record at ${at} would need more DNS lookups than verifiers make: take an include out that is not needed any more.`
    case 'dns.unanswered':
      return 'DNS did not answer for some of the names. It is asked again.'
  }
}
