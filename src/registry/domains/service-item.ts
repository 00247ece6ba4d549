import type { Lookup } from '#net/resolver.ts'

/** One thing that the service's own names must say to strangers, and whether they do. */
export interface ServiceItem {
  readonly subject: ServiceSubject
  /** The name in DNS, the address, or the URL that it is about. */
  readonly name: string
  readonly state: 'ready' | 'missing' | 'wrong' | 'unanswered'
  /** As records are written, or in words. */
  readonly expected: readonly string[]
  readonly found: readonly string[]
  /** What the operator can do about it, as a sentence; null where all is well. */
  readonly advice: string | null
}

export type ServiceSubject =
  | 'spf'
  | 'mx-host'
  | 'submission-host'
  | 'policy-host'
  | 'helo'
  | 'ptr'
  | 'email-mx'
  | 'email-spf'
  | 'email-dkim'
  | 'mta-sts'
  | 'policy'

export type About = Pick<ServiceItem, 'subject' | 'name' | 'expected'>

export function ready(about: About, found: readonly string[]): ServiceItem {
  return { ...about, state: 'ready', found, advice: null }
}

export function lacking(
  about: About,
  state: 'missing' | 'wrong' | 'unanswered',
  advice: string,
  found: readonly string[] = [],
): ServiceItem {
  return { ...about, state, found, advice }
}

/** Judges what DNS says; an absence is no records. */
export function judged<T>(
  about: About,
  answer: Lookup<T>,
  judge: (records: readonly T[]) => ServiceItem,
): ServiceItem {
  if (answer.kind !== 'temporary-failure') return judge(answer.kind === 'found' ? answer.records : [])
  const advice = `DNS did not answer for ${about.name} (${answer.detail}): see that its name servers do.`
  return lacking(about, 'unanswered', advice)
}

/** The same of TXT records; `judge` names what it found by their texts. */
export function judgedTexts(
  about: About,
  answer: Lookup<string>,
  judge: (texts: readonly string[]) => ServiceItem,
): ServiceItem {
  const item = judged(about, answer, judge)
  return { ...item, found: item.found.map((text) => recordText('TXT', about.name, text)) }
}

/** As an item's text has it. */
export function recordText(type: string, name: string, content: string): string {
  return `${name} ${type} ${type === 'TXT' ? `"${content}"` : content}`
}
