import type { z } from 'zod'
import type { Refusal } from '#model/refusal.ts'
import { checkJsonShape, type ShapeFault } from '#protocol/json-shape.ts'

export type ReadJson<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly refusal: Refusal }

/** A request body to the shape its route declares. A refusal names the field, in the pointer and in words. `hints` are
 *  the other surface's spellings of our fields. */
export function readJson<T>(
  body: unknown,
  schema: z.ZodType<T>,
  hints: Readonly<Record<string, string>>,
  mostTokens?: number,
): ReadJson<T> {
  const parsed = parse(body, mostTokens)
  if ('refusal' in parsed) return { ok: false, refusal: parsed.refusal }
  const poisoned = mayHoldProto(body) ? pointerToProto(parsed.value) : undefined
  if (poisoned !== undefined) {
    const detail = "'__proto__' is no field of this API and is not allowed as a key anywhere."
    return { ok: false, refusal: { kind: 'field-invalid', pointer: poisoned, detail } }
  }
  const result = schema.safeParse(parsed.value)
  if (result.success) return { ok: true, value: result.data }
  return { ok: false, refusal: explain(result.error.issues, parsed.value, hints) }
}

function parse(
  body: unknown,
  mostTokens: number | undefined,
): { readonly value: unknown } | { readonly refusal: Refusal } {
  if (!Buffer.isBuffer(body) || body.length === 0) {
    return {
      refusal: { kind: 'field-missing', pointer: '', detail: 'The request has no body; send a JSON object.' },
    }
  }
  const fault = checkJsonShape(body, mostTokens)
  if (fault)
    return { refusal: { kind: 'field-invalid', pointer: fault.pointer, detail: SHAPES[fault.fault](fault) } }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    return { refusal: { kind: 'field-invalid', pointer: '', detail: 'The request body is not UTF-8.' } }
  }
  try {
    return { value: JSON.parse(text) }
  } catch (error) {
    // The parser quotes what it met, which may be a secret or a body: say where, not what.
    const where = /position \d+( \(line \d+ column \d+\))?/.exec(
      error instanceof Error ? error.message : '',
    )?.[0]
    const detail = `The request body is not JSON${where === undefined ? '' : `: it stops making sense at ${where}`}.`
    return { refusal: { kind: 'field-invalid', pointer: '', detail } }
  }
}

/** The key may be written with escapes, of which an underscore has one. */
function mayHoldProto(body: unknown): boolean {
  return Buffer.isBuffer(body) && (body.includes('__proto__') || /\\u005f/i.test(body.toString('latin1')))
}

/** Schemas pass over an own `__proto__` of a record in silence; a sender should hear of it. */
function pointerToProto(root: unknown): string | undefined {
  const left: { readonly value: unknown; readonly pointer: string }[] = [{ value: root, pointer: '' }]
  for (let next = left.pop(); next; next = left.pop()) {
    if (typeof next.value !== 'object' || next.value === null) continue
    for (const [key, value] of Object.entries(next.value)) {
      const pointer = next.pointer.length > 500 ? next.pointer : `${next.pointer}${pointerTo([key])}`
      if (key === '__proto__') return pointer
      left.push({ value, pointer })
    }
  }
  return undefined
}

const SHAPES = {
  'too-many-values': ({ pointer }) => `${nameOf(pointer)} has far more values than any message needs.`,
  'too-deep': ({ pointer }) => `${nameOf(pointer)} is nested deeper than any message needs.`,
  'duplicate-key': ({ key = '' }) =>
    `The key '${clip(key)}' stands twice in the same object; it must stand once.`,
} as const satisfies Record<ShapeFault['fault'], (fault: ShapeFault) => string>

function nameOf(pointer: string): string {
  return pointer === '' ? 'The request body' : `'${pointer.slice(1)}'`
}

type Issue = z.core.$ZodIssue

function explain(issues: readonly Issue[], value: unknown, hints: Readonly<Record<string, string>>): Refusal {
  const issue = misspelled(issues, hints) ?? deepest(issues)
  const pointer = pointerTo(issue.path)
  const field = issue.path.length === 0 ? 'The body' : `'${clip(issue.path.map(String).join('.'))}'`
  switch (issue.code) {
    case 'unrecognized_keys': {
      const key = issue.keys.find((name) => Object.hasOwn(hints, name)) ?? String(issue.keys[0])
      const known = Object.hasOwn(hints, key) ? ` In this API it is spelled '${hints[key]}'.` : ''
      const detail = `${issue.path.length === 0 ? '' : `${field} has `}an unknown field '${clip(key)}'.${known}`
      return { kind: 'field-invalid', pointer: pointerTo([...issue.path, key]), detail: capitalise(detail) }
    }
    case 'invalid_type':
      if (at(value, issue.path) === undefined) {
        return {
          kind: 'field-missing',
          pointer,
          detail: `${field} is missing; it must be ${article(issue.expected)}.`,
        }
      }
      return { kind: 'field-invalid', pointer, detail: `${field} must be ${article(issue.expected)}.` }
    case 'invalid_union': {
      const missing = at(value, issue.path) === undefined
      const usual = `must be ${UNIONS[String(issue.path.at(-1))] ?? ADDRESS}`
      const must = issue.message.startsWith('must ') ? issue.message : usual
      const detail = `${field} ${missing ? 'is missing; it ' : ''}${must}.`
      return { kind: missing ? 'field-missing' : 'field-invalid', pointer, detail }
    }
    case 'too_small':
      if (issue.origin === 'array')
        return { kind: 'field-missing', pointer, detail: `${field} must have at least one entry.` }
      if (issue.origin === 'string' && issue.minimum === 1)
        return { kind: 'field-missing', pointer, detail: `${field} must not be empty.` }
      return { kind: 'field-invalid', pointer, detail: `${field}: ${issue.message}.` }
    default:
      return { kind: 'field-invalid', pointer, detail: `${field}: ${issue.message}.` }
  }
}

const ADDRESS = 'an address as a string, or an object {address, name}'
const LIST = `${ADDRESS}, or an array of these`
const UNIONS: Readonly<Record<string, string>> = {
  to: LIST,
  cc: LIST,
  bcc: LIST,
  disposition: '"attachment" or "inline"',
}

/** A key that is the other surface's spelling says more than the field that is missing for it. */
function misspelled(issues: readonly Issue[], hints: Readonly<Record<string, string>>): Issue | undefined {
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys' && issue.keys.some((key) => Object.hasOwn(hints, key)))
      return issue
    if (issue.code !== 'invalid_union') continue
    for (const branch of issue.errors) {
      const inner = misspelled(branch, hints)
      if (inner) return { ...inner, path: [...issue.path, ...inner.path] }
    }
  }
  return undefined
}

/** A union reports each of its branches; the one that got furthest into the value says what is really wrong. */
function deepest(issues: readonly Issue[]): Issue {
  const all = issues.flatMap((issue): Issue[] => {
    if (issue.code !== 'invalid_union') return [issue]
    const inner = issue.errors.flatMap((branch) =>
      branch.map((child) => ({ ...child, path: [...issue.path, ...child.path] })),
    )
    const deeper = inner.filter(
      ({ path, code }) => path.length > issue.path.length || code === 'unrecognized_keys',
    )
    return deeper.length > 0 ? [deepest(deeper)] : [issue]
  })
  const [first, ...others] = all
  if (!first) throw new Error('a failed parse has at least one issue')
  return others.reduce((best, issue) => (issue.path.length > best.path.length ? issue : best), first)
}

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  )
}

/** RFC 6901 §3. */
function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${clip(String(key)).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}

function article(expected: string): string {
  const name = expected === 'record' ? 'object' : expected
  return `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`
}

function clip(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}

function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
