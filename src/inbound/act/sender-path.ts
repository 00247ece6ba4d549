import type { Address } from '#model/address.ts'
import type { SrsOptions } from '#protocol/srs.ts'
import { encodeSrs } from '#protocol/srs.ts'

/** What MAIL FROM of a stranger says, '' for the null sender; undefined where it is nothing that a forward could go back
 *  to. Wider than what we let customers write: senders have underscores in their domains. */
export function senderPath(path: string, options: SrsOptions): Address | '' | undefined {
  if (path === '') return ''
  return encodeSrs(path, options) === 'unfit' ? undefined : (path as Address)
}
