import { type Address, foldAddress } from '#model/address.ts'
import { fieldText, type HeaderBlock } from '#protocol/header-block.ts'
import { parseMailboxList } from '#protocol/mailbox-list.ts'

/** Whether the sender of MAIL FROM is the message's one author, whom a DMARC pass proves. Anybody can send again what
 *  somebody signed, under any sender. */
export function isByAuthor(mailFrom: Address | '', { fields }: HeaderBlock): boolean {
  const [field, ...others] = fields.filter(({ name }) => name.toLowerCase() === 'from')
  if (mailFrom === '' || !field || others.length > 0) return false
  const mailboxes = parseMailboxList(fieldText(field) ?? '', 2)
  if ('fault' in mailboxes) return false
  const [author, second] = mailboxes
  return author !== undefined && !second && foldAddress(author.address) === foldAddress(mailFrom)
}
