/** What a response of ours says, in a word. */
export type ResponseCode =
  | 'noerror'
  | 'formerr'
  | 'servfail'
  | 'nxdomain'
  | 'notimp'
  | 'refused'
  | 'badvers'
  /** Nothing but that the question is to be asked again over TCP. */
  | 'truncated'
  | 'other'

const TRUNCATED = 0x0200
const CODES: Readonly<Record<number, ResponseCode>> = {
  0: 'noerror',
  1: 'formerr',
  2: 'servfail',
  3: 'nxdomain',
  4: 'notimp',
  5: 'refused',
  16: 'badvers',
}
/** Our OPT record (RFC 6891 §6.1.2), which is the last: the root, its type, a class, a TTL, and no options. */
const OPT_OCTETS = 11
const TYPE_OPT = 41

/** For figures: of a response that this room wrote. */
export function responseCode(response: Buffer): ResponseCode {
  const flags = response.readUInt16BE(2)
  if ((flags & TRUNCATED) !== 0) return 'truncated'
  return CODES[(flags & 0xf) | (upperBits(response) << 4)] ?? 'other'
}

/** RFC 6891 §6.1.3: the upper eight bits of the code are the first of OPT's TTL. */
function upperBits(response: Buffer): number {
  const additionals = response.readUInt16BE(10)
  const opt = response.subarray(-OPT_OCTETS)
  const isOpt =
    additionals > 0 && opt[0] === 0 && opt.readUInt16BE(1) === TYPE_OPT && opt.readUInt16BE(9) === 0
  return isOpt ? (opt[5] ?? 0) : 0
}
