import type { ExpectedRecordBody, RecordErrorBody } from '#contract/onboarding-records.ts'

/** What stands in the way of onboarding, or in DNS of what was onboarded: each a sentence that says what to do. What is
 *  merely missing is not among them. */
export function recordProblems(errors: readonly RecordErrorBody[]): string[] {
  return [...new Set(errors.map(problemText).filter((text) => text !== undefined))]
}

/** With one of these a domain is not onboarded: its owner has to decide. */
const BLOCKERS = new Set<RecordErrorBody['code']>([
  'mx.foreign',
  'spf.multiple',
  'dkim.conflict',
  'spf.too_many_lookups',
])

export function blocks({ code }: RecordErrorBody): boolean {
  return BLOCKERS.has(code)
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
      return `The SPF record at ${at} lets others send and not this service: change "${existing?.content}" to the one that "posthorn domains records" shows.`
    case 'spf.multiple':
      return `${at} has ${multiple.length} SPF records, which count as none: make one of ${multiple.map(({ content }) => `"${content}"`).join(' and ')}.`
    case 'dkim.conflict':
      return `Another key stands at ${at}: leave the TXT record alone there that "posthorn domains records" shows.`
    case 'dmarc.multiple':
      return `${at} has ${multiple.length} DMARC records, which count as none: keep one.`
    case 'mta_sts.conflict':
      return `The record at ${at} is not that of the policy: leave the one there that "posthorn domains records" shows.`
    case 'mta_sts.foreign':
      return `${existing?.type} ${at} leads senders elsewhere for the policy of MTA-STS: it should be what "posthorn domains records" shows.`
    case 'spf.too_many_lookups':
      return `The SPF record at ${at} would need more DNS lookups than verifiers make: take an include out that is not needed any more.`
    case 'dns.unanswered':
      return 'DNS did not answer for some of the names: try again.'
  }
}

/** A record and its value, as a table has them in one column. */
export function valueOf({ content, priority }: Pick<ExpectedRecordBody, 'content' | 'priority'>): string {
  if (content === undefined) return '(made with the domain)'
  return priority === undefined ? content : `${priority} ${content}`
}
