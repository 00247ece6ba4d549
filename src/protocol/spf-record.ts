/** SPF records as their publishers see them (RFC 7208): what a record says, what it costs, and one include more or less
 *  without a change to the rest. Evaluating one for a sender is not here. */
export interface SpfTerm {
  readonly kind: 'mechanism' | 'modifier'
  /** In lower case. */
  readonly name: string
  /** A mechanism's; `+` where none is written (RFC 7208 §4.6.2). */
  readonly qualifier: '+' | '-' | '~' | '?'
  /** What stands after `:` or `=`; undefined where there is none. */
  readonly value: string | undefined
}

/** RFC 7208 §4.6.4: mechanisms and modifiers that make a verifier ask DNS, ten at most in one evaluation. */
export const SPF_LOOKUPS = 10
const ASKING = new Set(['include', 'a', 'mx', 'ptr', 'exists', 'redirect'])

/** RFC 7208 §4.5: an SPF record is `v=spf1` alone or before a space. */
export function isSpfText(text: string): boolean {
  return /^v=spf1( |$)/i.test(text)
}

/** The terms in order, also those that no verifier knows; undefined where the text is no SPF record. */
export function parseSpf(text: string): SpfTerm[] | undefined {
  if (!isSpfText(text)) return undefined
  return text
    .split(' ')
    .slice(1)
    .filter((term) => term !== '')
    .map(readTerm)
}

function readTerm(term: string): SpfTerm {
  // RFC 7208 §4.6.1: a modifier's name is followed by "=", a mechanism's by ":", "/" or nothing.
  const modifier = /^([a-z][\w.-]*)=(.*)$/i.exec(term)
  if (modifier) {
    const [, name = '', value = ''] = modifier
    return { kind: 'modifier', name: name.toLowerCase(), qualifier: '+', value }
  }
  const [, sign = '', name = '', , value] = /^([-+~?]?)([^:/]*)(:([^/]*))?/.exec(term) ?? []
  const qualifier = sign === '-' || sign === '~' || sign === '?' ? sign : '+'
  return { kind: 'mechanism', name: name.toLowerCase(), qualifier, value }
}

/** The terms that a verifier comes to: nothing after `all`, and `redirect` only where there is no `all` (RFC 7208 §5.1,
 *  §6.1). */
export function reachedTerms(terms: readonly SpfTerm[]): SpfTerm[] {
  const mechanisms = terms.filter(({ kind }) => kind === 'mechanism')
  const all = mechanisms.findIndex(({ name }) => name === 'all')
  if (all !== -1) return mechanisms.slice(0, all)
  return [...mechanisms, ...terms.filter(({ kind, name }) => kind === 'modifier' && name === 'redirect')]
}

/** Whether reaching it means asking DNS. */
export function asksDns({ name }: SpfTerm): boolean {
  return ASKING.has(name)
}

/** Whether mail that passes for `host` passes for the record. */
export function hasInclude(text: string, host: string): boolean {
  const terms = parseSpf(text)
  return terms !== undefined && reachedTerms(terms).some((term) => isInclude(term, host))
}

/** The record with `include:<host>` before everything else it says, or as it is where that is so already. The rest
 *  keeps its order, so its verdicts stay (config-domains.md: merge, never overwrite). */
export function withInclude(text: string, host: string): string {
  return hasInclude(text, host) ? text : text.replace(/^v=spf1/i, (version) => `${version} include:${host}`)
}

/** The record without `include:<host>`, otherwise untouched. */
export function withoutInclude(text: string, host: string): string {
  return text
    .split(' ')
    .filter((term, i) => i === 0 || !isInclude(readTerm(term), host))
    .join(' ')
}

function isInclude({ kind, name, qualifier, value }: SpfTerm, host: string): boolean {
  return (
    kind === 'mechanism' &&
    name === 'include' &&
    qualifier === '+' &&
    value?.toLowerCase().replace(/\.$/, '') === host
  )
}
