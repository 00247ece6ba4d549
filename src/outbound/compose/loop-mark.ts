import { createHmac } from 'node:crypto'
import { type Address, foldAddress } from '#model/address.ts'

/** The trace field of a forward. A message that bears the mark of the address that it comes in for was forwarded for it
 *  before. Delivered-To would say the same, but the destination's own host looks for its own there. */
export const LOOP_FIELD = 'X-Posthorn-Forwarded'

/** The value for one address, the same for every spelling of it: ASCII, it gives no address away to whoever the message is
 *  forwarded to next, and nobody else can make it, or a stranger could have a mailing list's mail taken for a loop. */
export function loopMark(recipient: Address, key: Buffer): string {
  return createHmac('sha256', key).update(foldAddress(recipient)).digest('hex').slice(0, 32)
}
