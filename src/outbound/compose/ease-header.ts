import { HEADER_LIMITS } from '#protocol/custom-header-table.ts'
import { type HeaderField, trimWhiteSpace, unfold } from '#protocol/header-block.ts'
import { messageIds } from '#protocol/header-formats.ts'

/** What mail programs write and the header table, made for people who choose their headers one by one, would refuse
 *  (docs/decisions/0008). */

/** References with the first id and as many of the last ones as fit, as RFC 5537 §3.4.4 trims it: the first names the
 *  thread, the last what is answered. One that fits, or that is no list of ids, stays as it is. */
export function shortenReferences(field: HeaderField): HeaderField {
  const { valueBytes } = HEADER_LIMITS
  const line = unfold(field.value)
  if (line.length <= valueBytes || messageIds(trimWhiteSpace(line)) !== undefined) return field
  const [first = '', ...others] = line.match(MESSAGE_ID) ?? []
  // The space after the colon counts.
  let room = valueBytes - 1 - first.length
  let from = others.length
  for (; from > 0; from--) {
    room -= 1 + (others[from - 1] ?? '').length
    if (room < 0) break
  }
  return { ...field, value: ` ${[first, ...others.slice(from)].join(' ')}` }
}

const MESSAGE_ID = /<[^<>]+>/g

/** The keyword of an Auto-Submitted value, in lower case, without the comments and parameters that RFC 3834 §5 lets
 *  follow it; undefined where the value is not built so. */
export function autoSubmittedKeyword(value: string): string | undefined {
  if (value.length > HEADER_LIMITS.valueBytes) return undefined
  return AUTO_SUBMITTED.exec(value)?.[1]?.toLowerCase()
}

const COMMENT = String.raw`\((?:[\t -'*-\[\]-~]|\\[\t -~])*\)`
const CFWS = `(?:[ \\t]|${COMMENT})*`
const TOKEN = "[!#$%&'*+.0-9A-Z^_`a-z{|}~-]+"
const QUOTED = String.raw`"(?:[\t !#-\[\]-~]|\\[\t -~])*"`
const PARAMETER = `${TOKEN}${CFWS}=${CFWS}(?:${TOKEN}|${QUOTED})`
const AUTO_SUBMITTED = new RegExp(`^${CFWS}([A-Za-z][A-Za-z-]*)${CFWS}(?:;${CFWS}${PARAMETER}${CFWS})*$`)
