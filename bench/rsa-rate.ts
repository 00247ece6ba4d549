import { generateKeyPairSync, sign } from 'node:crypto'
import { monotonicMs } from './clock.ts'

/** About what DKIM hashes of a message's headers (RFC 6376 §3.7); beside the signature it hardly matters. */
const SIGNED_BYTES = 600
const BATCH = 20

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

/** RSA-2048 signatures (SHA-256) a second that one core makes now: the yardstick that makes two machines, or two
 *  moments of a busy one, comparable. Blocks for `seconds`. */
export function rsaRate(seconds: number): number {
  const data = Buffer.alloc(SIGNED_BYTES, 'x')
  const startedAt = monotonicMs()
  let signatures = 0
  let elapsed = 0
  while (elapsed < seconds * 1_000) {
    for (let i = 0; i < BATCH; i++) sign('sha256', data, privateKey)
    signatures += BATCH
    elapsed = monotonicMs() - startedAt
  }
  return (signatures / elapsed) * 1_000
}
