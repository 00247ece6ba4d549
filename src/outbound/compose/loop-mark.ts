import { hash } from 'node:crypto'
import { type Address, foldAddress } from '#model/address.ts'

/** The trace field of a forward. A message that bears the mark of the address that it comes in for was forwarded for it
 *  before. Delivered-To would say the same, but the destination's own host looks for its own there. */
export const LOOP_FIELD = 'X-Posthorn-Forwarded'

/** The value for one address, the same for every spelling of it: ASCII, and it gives no address away to whoever the
 *  message is forwarded to next. */
export function loopMark(recipient: Address): string {
  return hash('sha256', `posthorn forward\0${foldAddress(recipient)}`, 'hex').slice(0, 32)
}
