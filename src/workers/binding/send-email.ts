import { type Address, domainOf } from '#model/address.ts'
import type { Permission } from '#model/permission.ts'
import type { Refusal } from '#model/refusal.ts'
import type { Log } from '#observe/log.ts'
import type { Acceptor } from '#outbound/accept/accept.ts'
import type { Accepted, AcceptOptions, Submitter } from '#outbound/accept/accept-world.ts'
import type { LastWord } from '#outbound/accept/last-words.ts'
import type { Fields, Raw } from '#outbound/accept/submission.ts'
import type { Accounts } from '#registry/accounts/accounts.ts'
import type { HostError, HostServices, MadeMessage } from '#workers/runtime/host-services.ts'
import { hostErrorOf } from './host-error.ts'
import { readOutgoing } from './read-outgoing.ts'
import { restrictionOf, withDestination } from './restriction.ts'

/** The `send_email` binding: what a Worker sends, through the same pipeline as every other door. In: what it gave, and
 *  whose binding it is. Out: the Message-ID, or the code and the words of the error that is thrown in it. Promise: a
 *  message that has an id is on disk; what was refused was not sent; nothing rejects. */
export interface SendEmail {
  readonly sendEmail: HostServices['sendEmail']
  readonly sendReply: (reply: Reply) => Promise<MadeMessage | HostError>
}

export interface SendEmailWorld {
  readonly acceptor: Pick<Acceptor, 'accept' | 'lastWords'>
  readonly accounts: Pick<Accounts, 'account'>
  /** How long a send waits for the first verdict of each recipient, in ms. */
  readonly waitMs: number
  readonly log: Log
  /** Of one account's sends at a time; more are refused. */
  readonly mostAtOnce?: number
}

/** What `email()` answers a message with. That it goes to nobody but who wrote is its caller's to see to. */
export interface Reply {
  readonly accountId: string
  readonly scriptName: string
  /** An address of the domain that the message came to: the reply is from there, by its envelope and by its From
   *  header. */
  readonly from: Address
  readonly submission: Fields | Raw
  /** Names the reply: another one of the same name is not sent, whatever it says, and has the first one's id. */
  readonly repeatKey: string
}

const MOST_AT_ONCE = 512
/** Past it nobody waits for verdicts: a Worker has so many connections to the host, and other bindings need them too. */
const MOST_WAITING = 64
/** RFC 5321 §4.5.4.1: a sender tries for four or five days. */
const REPLY_REMEMBERED_MS = 5 * 86_400_000
const SENDS: ReadonlySet<Permission> = new Set(['Email Sending:Edit'])

export function openSendEmail(world: SendEmailWorld): SendEmail {
  const { acceptor, accounts, waitMs, log, mostAtOnce = MOST_AT_ONCE } = world
  /** Sends under way, by account. */
  const underWay = new Map<string, number>()

  async function send(
    submission: Fields | Raw,
    accountId: string,
    how: Pick<AcceptOptions, 'worker' | 'restrict' | 'repeatable'>,
  ): Promise<MadeMessage | HostError> {
    const before = underWay.get(accountId) ?? 0
    if (before >= mostAtOnce) return hostErrorOf(tooMany(before))
    underWay.set(accountId, before + 1)
    let made: { readonly message: string; readonly messageId: string } | undefined
    try {
      const by = await submitter(accountId)
      if ('detail' in by) return hostErrorOf(by)
      const wait = before < MOST_WAITING ? waitMs : 0
      const accepted = await acceptor.accept(submission, by, { waitMs: wait, protocol: 'HTTP', ...how })
      if ('kind' in accepted) return hostErrorOf(accepted)
      made = { message: accepted.id, messageId: accepted.messageId }
      return await resultOf(accepted, by)
    } catch (error) {
      // A full disk among them. Whatever it was, it is ours and not the Worker's to read.
      const ids = { account: accountId, worker: how.worker?.scriptName, ...made }
      log.error({ err: error, ...ids }, 'workers: a send failed inside')
      return INTERNAL
    } finally {
      const left = (underWay.get(accountId) ?? 1) - 1
      if (left > 0) underWay.set(accountId, left)
      else underWay.delete(accountId)
    }
  }

  /** A Worker may what its account may; its restrictions are its bindings'. */
  async function submitter(accountId: string): Promise<Submitter | Refusal> {
    const account = await accounts.account(accountId)
    if (account) return { accountId, sendingEnabled: account.sendingEnabled, permissions: SENDS }
    return { kind: 'account-not-entitled', detail: 'The account of this Worker does not exist any more.' }
  }

  async function resultOf(
    { id, messageId, delivered, queued, bounced }: Accepted,
    by: Submitter,
  ): Promise<MadeMessage | HostError> {
    if (delivered.length + queued.length > 0) return { messageId }
    if (bounced.length > 0) return deliveryFailed(await acceptor.lastWords(by, id))
    const detail = 'Every recipient is on the suppression list. Nothing was sent.'
    return hostErrorOf({ kind: 'recipient-suppressed', detail })
  }

  return {
    async sendEmail({ accountId, scriptName }, binding, message) {
      const submission = readOutgoing(withDestination(message, binding))
      if ('detail' in submission) return hostErrorOf(submission)
      const worker = { scriptName, call: 'send' } as const
      return send(submission, accountId, { worker, restrict: restrictionOf(binding) })
    },

    sendReply({ accountId, scriptName, from, submission, repeatKey }) {
      return send(submission, accountId, {
        worker: { scriptName, call: 'reply' },
        restrict: ({ senders }) => {
          const other = senders.find(({ address }) => domainOf(address) !== domainOf(from))
          return other && notFromHere(other, from)
        },
        // One hash for all: a reply is the same one although its text may tell another time.
        repeatable: {
          ...{ kind: 'keyed', key: `reply:${repeatKey}`, bodyHash: 'reply' },
          rememberMs: REPLY_REMEMBERED_MS,
        },
      })
    },
  }
}

const INTERNAL: HostError = {
  code: 'E_INTERNAL_SERVER_ERROR',
  message: 'The message could not be accepted because of a problem in the service. Try again later.',
}

function tooMany(sends: number): Refusal {
  const detail = `${sends} messages of this account are being sent at this moment, which is the most. Await some of them, or try again later.`
  return { kind: 'rate-limited', detail }
}

function notFromHere(
  { address, pointer }: { readonly address: Address; readonly pointer: string },
  from: Address,
): Refusal {
  const detail = `A reply must be from ${domainOf(from)}, the domain that the message came to, not from ${address}.`
  return { kind: 'sender-not-verified', pointer, detail }
}

const MOST_QUOTED = 3
const LONGEST_WORD = 300

/** Every recipient was refused for good: by whom the hosts' own words tell best. */
function deliveryFailed(words: readonly LastWord[]): HostError {
  const told = words
    .slice(0, MOST_QUOTED)
    .map(({ recipient, word }) => `${recipient}: ${word.slice(0, LONGEST_WORD)}`)
  const more = words.length > MOST_QUOTED ? [`and ${words.length - MOST_QUOTED} more`] : []
  const message = `No recipient's mail server took the message. ${[...told, ...more].join('; ')}`
  return { code: 'E_DELIVERY_FAILED', message }
}
