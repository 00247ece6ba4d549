import type { Refusal } from '#model/refusal.ts'
import { customField } from '#outbound/compose/compose-message.ts'
import {
  checkHeaderTotals,
  checkHeaderValue,
  HEADER_LIMITS,
  headerBytes,
  headerRule,
} from '#protocol/custom-header-table.ts'
import { trimWhiteSpace } from '#protocol/header-block.ts'

/** What a Worker adds to a message that it forwards, as fields for the wire. In: its headers, in lower case. Those that
 *  are no X- headers of the reference (reference-headers.md) are removed, and so are empty ones; its limits hold. */
export function addedFields(headers: readonly (readonly [name: string, value: string])[]): string | Refusal {
  const fields: string[] = []
  let bytes = 0
  for (const [given, raw] of headers) {
    const rule = headerRule(given)
    const value = trimWhiteSpace(raw)
    if (rule.kind !== 'extension' || value === '') continue
    const name = canonical(given)
    const refusal = checkName(name) ?? checkHeaderValue(rule, name, value, undefined)
    if (refusal) return refusal
    bytes += headerBytes(name, value)
    fields.push(customField(name, value))
  }
  return checkHeaderTotals(0, bytes) ?? fields.join('')
}

function checkName(name: string): Refusal | undefined {
  if (name.length <= HEADER_LIMITS.nameBytes) return undefined
  const detail = `Header name '${name.slice(0, 40)}…' exceeds ${HEADER_LIMITS.nameBytes} byte limit.`
  return { kind: 'header-name-invalid', detail }
}

/** As people write it. */
function canonical(name: string): string {
  return name.replaceAll(/(?<=^|[-_])[a-z]/g, (letter) => letter.toUpperCase())
}
