import type { Reply } from './reply.ts'

const MEBIBYTE = 1024 * 1024

/** The refusal of a message of more than `limit` octets, declared (SIZE=) or sent. */
export function messageTooBig(limit: number): Reply {
  const size = limit % MEBIBYTE === 0 ? `${limit / MEBIBYTE} MiB` : `${limit} bytes`
  return { code: 552, enhanced: '5.3.4', text: `Message too big; the limit is ${size}` }
}
