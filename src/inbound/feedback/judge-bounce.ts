import { type Address, foldAddress } from '#model/address.ts'
import { type Classified, classifyReport } from '#outbound/outcome/classify.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { Report } from '#protocol/bounce-report.ts'
import type { ReportedRecipient } from '#protocol/reported-recipient.ts'

export interface JudgedBounce {
  readonly about: ReportedRecipient
  readonly classified: Classified
}

/** What a bounce says of the recipient whose return path it came to; undefined where it says nothing final of it. The
 *  part that names it decides. Where none does (a host behind an alias reports the mailbox, a free form nobody), all of
 *  them are about it: they count if every one failed, and suppress only if every one would. */
export function judgeBounce(
  { recipients }: Pick<Report<'bounce'>, 'recipients'>,
  ours: Address,
): JudgedBounce | undefined {
  const about = recipients.filter(
    ({ recipient, originalRecipient }) => isSame(recipient, ours) || isSame(originalRecipient, ours),
  )
  const parts = about.length > 0 ? about : recipients.length > 0 ? recipients : [NAMELESS]
  if (!parts.every(({ action }) => action === 'failed')) return undefined
  const judged = parts.map((part) => ({ about: part, classified: classifyReport(part) }))
  return judged.find(({ classified }) => !classified.suppression) ?? judged[0]
}

/** A mail that says no more than that something failed. */
const NAMELESS: ReportedRecipient = { action: 'failed' }

function isSame(written: string | undefined, ours: Address): boolean {
  const address = written === undefined ? undefined : parseAddress(written)
  return address !== undefined && isAddress(address) && foldAddress(address) === foldAddress(ours)
}
