import { addedFields } from '#inbound/act/added-fields.ts'
import { refuseQuestion, refuseReply, refuseSender } from '#inbound/act/reply-rules.ts'
import { type Thread, threadBuilder, threadOf, threadRaw } from '#inbound/act/thread-reply.ts'
import { type Address, domainOf } from '#model/address.ts'
import type { Refusal } from '#model/refusal.ts'
import { platformHeaders } from '#outbound/accept/platform-headers.ts'
import { readDraft } from '#outbound/accept/read-draft.ts'
import { readRaw } from '#outbound/accept/read-raw.ts'
import { composeMessage } from '#outbound/compose/compose-message.ts'
import { composeRaw, readRawMessage } from '#outbound/compose/compose-raw.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { HeaderBlock } from '#protocol/header-block.ts'
import { hostErrorOf } from '#workers/binding/host-error.ts'
import { readOutgoing } from '#workers/binding/read-outgoing.ts'
import type {
  EmailHost,
  HostError,
  MadeMessage,
  OutgoingMessage,
  WorkerPlace,
} from '#workers/runtime/host-services.ts'
import type { EmailOutcome } from '#workers/runtime/run-email.ts'
import type { LocalEventsWorld } from './local-email.ts'

/** A message that somebody on this machine made up. */
export interface LocalMessage {
  readonly from: Address | ''
  readonly to: Address
  /** `to` as its sender wrote it. */
  readonly written: string
  readonly raw: Buffer
  readonly block: HeaderBlock
  readonly messageId: string
}

/** What a Worker did with it, in the names that wrangler's local server has for that. */
export interface LocalActions {
  readonly host: EmailHost
  readonly forwards: readonly {
    readonly recipient: string
    readonly headers: readonly (readonly [name: string, value: string])[]
    readonly messageId: string
  }[]
  readonly replies: readonly { readonly messageId: string; readonly sender: string; readonly raw: string }[]
  readonly events: readonly {
    readonly type: string
    readonly timestamp: string
    readonly messageId?: string
  }[]
  /** The handler is over. */
  end(run: EmailOutcome): void
}

type World = Pick<LocalEventsWorld, 'keep' | 'note' | 'now' | 'accountId'>

/** The same rules as for mail from outside, but for those about who may have it: any address takes a forward. */
export function openLocalActions(world: World, place: WorkerPlace, message: LocalMessage): LocalActions {
  const { keep, note = () => undefined, now } = world
  const forwards: LocalActions['forwards'][number][] = []
  const replies: LocalActions['replies'][number][] = []
  const events: LocalActions['events'][number][] = []
  const happened = (type: string, messageId?: string) =>
    void events.push({
      type,
      timestamp: new Date(now()).toISOString(),
      ...(messageId !== undefined && { messageId }),
    })
  let hasReplied = false

  happened('received')
  return {
    ...{ forwards, replies, events },
    host: {
      async forward(rcptTo, headers) {
        const recipient = parseAddress(rcptTo)
        if (!isAddress(recipient)) {
          const said = `forward(): ${JSON.stringify(rcptTo.slice(0, 100))} is no address: ${recipient.detail}`
          return { code: 'E_VALIDATION_ERROR', message: said }
        }
        const added = addedFields(headers)
        if (typeof added !== 'string') return hostErrorOf(added)
        await keep(Buffer.concat([Buffer.from(added), message.raw]), { from: message.from, to: [recipient] })
        const { messageId } = message
        forwards.push({ recipient: rcptTo, headers, messageId })
        happened('forward', messageId)
        const lines = headers.map(([name, value]) => `\n  ${name}: ${value}`).join('')
        note(place, `Email handler forwarded message with\n  rcptTo: ${rcptTo}${lines}`)
        return { messageId }
      },

      async reply(given) {
        if (hasReplied) return ALREADY
        hasReplied = true
        const made = await composeReply(world, message, given)
        hasReplied = !('code' in made)
        if ('code' in made) return made
        const { messageId, sender, raw } = made
        await keep(raw, { from: sender, to: [message.from] })
        replies.push({ messageId, sender, raw: raw.toString() })
        happened('reply', messageId)
        note(place, `Email handler replied to sender ${message.from}, from ${sender}`)
        return { messageId }
      },
    },
    end(run) {
      if (run.kind !== 'rejected') return
      happened('reject')
      note(place, `Email handler rejected message with the following reason: ${JSON.stringify(run.reason)}`)
    },
  }
}

const ALREADY: HostError = {
  code: 'E_REPLY_ALREADY_SENT',
  message: 'reply(): a message can be replied to once, and has been.',
}

interface Composed extends MadeMessage {
  readonly sender: Address
  readonly raw: Buffer
}

async function composeReply(
  { now, accountId }: World,
  { from, to, block }: LocalMessage,
  given: OutgoingMessage,
): Promise<Composed | HostError> {
  const unanswerable = refuseQuestion({
    ...{ mailFrom: from, block, isReport: false },
    ...{ passesDmarc: true, provesSender: true },
  })
  if (unanswerable) return unanswerable
  const thread = threadOf(block)
  const threaded = given.kind === 'raw' ? given : { ...given, fields: threadBuilder(given.fields, thread) }
  const outgoing = readOutgoing(threaded)
  if ('detail' in outgoing) return hostErrorOf(outgoing)
  const domain = domainOf(to)
  const unfit = refuseReply(outgoing, { mailFrom: from, domain })
  if (unfit) return unfit
  const sent = outgoing.kind === 'raw' ? inThread(outgoing, thread) : outgoing
  if ('detail' in sent) return hostErrorOf(sent)
  const read = sent.kind === 'raw' ? readRaw(sent) : readDraft(sent)
  if ('kind' in read) return hostErrorOf(read)
  const stranger = refuseSender(read.from, domain)
  if (stranger) return stranger
  const platform = platformHeaders({
    ...{ id: crypto.randomUUID().replaceAll('-', ''), at: now(), from: read.from, accountId },
    // No domain of the account has to be there for it.
    ...{
      domainId: 'local',
      returnPathDomain: 'localhost',
      host: 'localhost',
      protocol: 'HTTP',
      feedbackTag: '',
    },
  })
  const raw =
    'draft' in read ? await composeMessage(read.draft, platform) : composeRaw(read.message, platform)
  return { messageId: platform.messageId, sender: read.from, raw }
}

function inThread<R extends { readonly mime: Buffer; readonly mimePointer: string }>(
  outgoing: R,
  thread: Thread,
): R | Refusal {
  const message = readRawMessage(outgoing.mime)
  if ('kind' in message) return { pointer: outgoing.mimePointer, ...message }
  const names = message.fields.match(/^[!-9;-~]+(?=:)/gm) ?? []
  return { ...outgoing, mime: threadRaw(outgoing.mime, names, thread) }
}
