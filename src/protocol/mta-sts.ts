import { createHash } from 'node:crypto'

/** MTA-STS (RFC 8461): the texts by which a domain says that mail to it needs verified TLS, read as a stranger wrote
 *  them, and written for domains of our own; and whether a host is one of those that a policy names. */

/** A policy as its file states it. */
export interface StsPolicy {
  readonly mode: StsMode
  /** Host names, or `*.` and a name; lower case, in A-labels. Empty only where the mode is `none`. */
  readonly mx: readonly string[]
  readonly maxAgeSeconds: number
}

export type StsMode = 'enforce' | 'testing' | 'none'

/** Why a file is no policy: a phrase for the operator's log. */
export interface StsFault {
  readonly fault: string
}

/** RFC 8461 §3.3 suggests it as the most that is read of a policy. */
export const MAX_POLICY_OCTETS = 64 * 1024
/** RFC 8461 §3.2: a leap year. */
export const MAX_AGE_SECONDS = 31_557_600

// RFC 8461 §3.1, word by word: the ABNF has strict case, and ids of 1 to 32 letters and digits.
const VERSION = 'v=STSv1;'
const ID_FIELD = /^id=([A-Za-z0-9]{1,32})$/
const EXTENSION_FIELD = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}=[\x21-\x3a\x3c\x3e-\x7e]+$/

/** The id of the policy that `_mta-sts.<domain>` announces; undefined where the TXT records there announce none. Each
 *  record is one string, its parts joined without a gap. */
export function readStsId(records: readonly string[]): string | undefined {
  // RFC 8461 §3.1: records of other kinds are passed over, and two of this kind are none.
  const [record, another] = records.filter((text) => text.startsWith(VERSION))
  if (record === undefined || another !== undefined) return undefined
  const fields = record
    .slice(VERSION.length)
    .split(';')
    .map((field) => trimBlanks(field))
  if (fields.at(-1) === '') fields.pop()
  if (!fields.every((field) => ID_FIELD.test(field) || EXTENSION_FIELD.test(field))) return undefined
  // §3.2: of a field that is repeated the first counts, whatever it says.
  const id = fields.find((field) => field.startsWith('id='))
  return id && ID_FIELD.exec(id)?.[1]
}

/** Reads the body of `https://mta-sts.<domain>/.well-known/mta-sts.txt` (RFC 8461 §3.2). Keys that nobody knows are
 *  passed over, and so are lines that are no field: a policy with a remark in it still protects. A max_age beyond the
 *  largest counts as the largest. */
export function readStsPolicy(body: Uint8Array): StsPolicy | StsFault {
  if (body.length > MAX_POLICY_OCTETS) return { fault: 'the policy is too long' }
  const fields = fieldsOf(Buffer.from(body.buffer, body.byteOffset, body.length).toString('latin1'))
  const first = (name: string) => fields.find(([key]) => key === name)?.[1]
  if (first('version') !== 'STSv1') return { fault: 'version is not STSv1' }
  const mode = first('mode')
  if (!isMode(mode)) return { fault: 'mode is not enforce, testing or none' }
  const maxAge = first('max_age')
  if (maxAge === undefined || !/^[0-9]{1,10}$/.test(maxAge))
    return { fault: 'max_age is no number of seconds' }
  const mx = fields.filter(([key]) => key === 'mx').map(([, value]) => mxPattern(value))
  if (mx.includes(undefined)) return { fault: 'an mx is no host name' }
  if (mx.length === 0 && mode !== 'none') return { fault: 'there is no mx' }
  return {
    mode,
    mx: [...new Set(mx.filter((pattern) => pattern !== undefined))],
    maxAgeSeconds: Math.min(Number(maxAge), MAX_AGE_SECONDS),
  }
}

/** The body of the file (RFC 8461 §3.2), as `readStsPolicy` reads it. */
export function writeStsPolicy({ mode, mx, maxAgeSeconds }: StsPolicy): string {
  const lines = ['version: STSv1', `mode: ${mode}`, ...mx.map((host) => `mx: ${host}`)]
  return [...lines, `max_age: ${maxAgeSeconds}`, ''].join('\r\n')
}

/** The id under which a domain announces a policy. It is made of the policy, so that it changes with it and never else
 *  (RFC 8461 §3.1): whoever holds the policy of an id holds the one that is served. No two domains share one. */
export function stsPolicyId(domain: string, policy: StsPolicy): string {
  return createHash('sha256')
    .update(`${domain}\n${writeStsPolicy(policy)}`)
    .digest('hex')
    .slice(0, 20)
}

/** The TXT record of `_mta-sts.<domain>`. */
export function writeStsRecord(id: string): string {
  return `${VERSION} id=${id};`
}

/** Whether a host is one that the pattern of a policy names (RFC 8461 §4.1): `*` stands for the whole left-most label
 *  and for that alone. Both in A-labels. */
export function hostMatches(pattern: string, host: string): boolean {
  const wanted = pattern.toLowerCase()
  const name = host.toLowerCase().replace(/\.$/, '')
  if (!wanted.startsWith('*.')) return name === wanted
  const dot = name.indexOf('.')
  return dot > 0 && name.slice(dot) === wanted.slice(1)
}

type Field = readonly [key: string, value: string]

function fieldsOf(text: string): Field[] {
  return text.split(/\r?\n/).flatMap((line): Field[] => {
    const colon = line.indexOf(':')
    return colon === -1 ? [] : [[line.slice(0, colon), trimBlanks(line.slice(colon + 1))]]
  })
}

function isMode(text: string | undefined): text is StsMode {
  return text === 'enforce' || text === 'testing' || text === 'none'
}

// RFC 5321 §4.1.2 has no underscore in a host name; some MX hosts have, and match nothing but themselves.
const LABELS = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/

function mxPattern(value: string): string | undefined {
  const pattern = value.toLowerCase().replace(/\.$/, '')
  const name = pattern.startsWith('*.') ? pattern.slice(2) : pattern
  return name.length <= 253 && LABELS.test(name) ? pattern : undefined
}

/** WSP of RFC 5234 alone: what else Unicode calls a blank is none here. No regular expression does it in one pass over
 *  a file that is all blanks. */
function trimBlanks(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text[start])) start++
  while (end > start && isBlank(text[end - 1])) end--
  return text.slice(start, end)
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t'
}
