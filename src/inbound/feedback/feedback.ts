import { contentHead } from '#bodies/read-content.ts'
import type { Address } from '#model/address.ts'
import { mailIds } from '#observe/mail-ids.ts'
import { readReturnedMail } from '#protocol/bounce-report.ts'
import type { CameBack, Taken } from './came-back.ts'
import { type ReturnedTo, readReturnAddress } from './returned-to.ts'
import { takeBounce } from './take-bounce.ts'
import { type ComplaintWorld, takeComplaint } from './take-complaint.ts'

/** Feedback: what comes back by mail about what was sent. In: mail to return paths and to the addresses for complaints.
 *  Out: reports (an event, perhaps a suppression) by way of `outbound/outcome`.
 *  Promise: nothing that a stranger writes names a delivery, only our own keyed tags do; a report counts once however
 *  often it comes; no state changes, no mail is kept, and none is sent to whoever reports, so nothing can loop: only the
 *  sender of what bounced is told, as of every bounce. */
export interface Feedback {
  /** Undefined where the address is at no return-path domain of ours. */
  whoIs(address: Address): Promise<ReturnedTo | undefined>
  /** Rejects where the store fails; then nothing is recorded that was not committed, and it may come again. */
  take(mail: CameBack): Promise<Taken>
}

/** Whatever says what failed comes before the returned message, of which the header is enough. */
const MOST_READ = 2 * 1024 * 1024

export function openFeedback(world: ComplaintWorld): Feedback {
  const { log } = world

  async function take({ to, ...mail }: CameBack): Promise<Taken> {
    const returned = readReturnedMail(await contentHead(mail.content, MOST_READ))
    if (returned.kind === 'complaint') return takeComplaint(to, returned.reports, mail, world)
    if (returned.kind === 'bounce' && to.kind === 'return-path') {
      return takeBounce(to.delivery, returned, mail, world)
    }
    // A success, a delay, a machine's answer or a person's: nothing of it changes anything.
    const ids = to.kind === 'return-path' ? mailIds(to.delivery) : {}
    log.info({ ...ids, peer: mail.remoteAddress, what: returned.kind }, 'feedback: ignored')
    return 'taken'
  }

  return { whoIs: (address) => readReturnAddress(address, world), take }
}
