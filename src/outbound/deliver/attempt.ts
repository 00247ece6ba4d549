import type { Cause } from '#model/event.ts'
import type { AttemptReport } from '#outbound/outcome/attempt-event.ts'
import { type Classified, classifyReply } from '#outbound/outcome/classify.ts'
import type { ClaimedDelivery, StreamedContent } from '#outbound/queue/claimed-delivery.ts'
import { dotStuff, dotStuffed } from '#protocol/dot-stuffing.ts'
import type { Reply } from '#smtp/reply.ts'
import type { TransactionContent, TransactionResult } from '#smtp/smtp-connection.ts'
import type { Contents } from './contents.ts'
import type { OpenHost } from './open-host.ts'

export type Attempt =
  | { readonly kind: 'delivered'; readonly report: AttemptReport }
  /** A no to this delivery, for now or for good; or the connection broke over its content. */
  | { readonly kind: 'refused'; readonly report: AttemptReport; readonly classified: Classified }
  /** The host ended the session before it saw the content: 421 (RFC 5321 §3.8), a disconnect, silence. It speaks of
   *  the host, not of this delivery. `atOnce`: with the first command, as one does that had closed an idle session. */
  | {
      readonly kind: 'cut-off'
      readonly report: AttemptReport
      readonly cause: Cause
      readonly atOnce: boolean
    }
  /** The fault is ours: a body that is missing, an address that is none. */
  | { readonly kind: 'stumbled'; readonly error: unknown }

export interface AttemptOptions {
  readonly contents: Contents
  /** The local part of a delivery's own envelope sender. */
  readonly returnPathTag: (deliveryId: string) => string
  readonly signal: AbortSignal
}

/** One transaction: one recipient, its own return path, the message's shared content. */
export async function attemptDelivery(
  delivery: ClaimedDelivery,
  host: OpenHost & { ok: true },
  options: AttemptOptions,
): Promise<Attempt> {
  try {
    return await transact(delivery, host, options)
  } catch (error) {
    return { kind: 'stumbled', error }
  }
}

async function transact(
  delivery: ClaimedDelivery,
  open: OpenHost & { ok: true },
  options: AttemptOptions,
): Promise<Attempt> {
  const { connection, host, address, transcript } = open
  // The machine's clock may step meanwhile.
  const started = performance.now()
  const content = delivery.content ?? (await options.contents.read(delivery.message))
  const wire = Buffer.isBuffer(content) ? forWire(content) : streamed(content)
  const { forwarding } = delivery.message
  const result = await connection.transact({
    mailFrom: returnPath(delivery, options),
    rcptTo: delivery.recipient,
    content: forwarding ? { ...wire, smtpUtf8: forwarding.smtpUtf8 && wire.smtpUtf8 } : wire,
    requireTls: open.requireTls,
    signal: options.signal,
  })
  const report: AttemptReport = {
    host,
    address,
    ...open.tls,
    dialogue: transcript.take(),
    durationMs: Math.round(performance.now() - started),
  }
  return judge(result, report, open.tls.tlsPolicy === 'smarthost')
}

/** Each delivery has its own, so that what comes back names it; a notice has the null one, so that nothing does. What is
 *  forwarded goes back to its sender, by the address that was rewritten for it. */
function returnPath({ id, message }: ClaimedDelivery, { returnPathTag }: AttemptOptions): string {
  if (message.forwarding) return message.forwarding.envelopeSender
  return message.sender === '' ? '' : `${returnPathTag(id)}@${message.returnPathDomain}`
}

function judge(result: TransactionResult, seen: AttemptReport, bySmarthost: boolean): Attempt {
  switch (result.kind) {
    case 'accepted':
      return { kind: 'delivered', report: { ...seen, ...told(result.reply) } }
    case 'refused': {
      const { phase } = result
      const { code, enhanced, text } = result.reply
      const report = { ...seen, ...told(result.reply) }
      const classified =
        bySmarthost && LOGIN_WANTED.has(code)
          ? ({ permanent: false, cause: 'smarthost' } as const)
          : classifyReply(phase, code, enhanced, text)
      if (code !== 421) return { kind: 'refused', report, classified }
      return { kind: 'cut-off', report, cause: classified.cause, atOnce: phase === 'mail' }
    }
    case 'lost': {
      const { phase, error } = result
      const report = { ...seen, reply: `connection lost (${phase}): ${error.message}` }
      const cause = 'connection-lost'
      if (phase !== 'content') return { kind: 'cut-off', report, cause, atOnce: phase === 'mail' }
      // After the final dot the message may have been taken. Better delivered twice than lost (promise 1).
      const ambiguous = result.afterFinalDot ? { ...report, perhapsTaken: true } : report
      return { kind: 'refused', report: ambiguous, classified: { permanent: false, cause } }
    }
  }
}

/** RFC 4954 §6: what a smarthost that is set up wrongly says to everything. No message is at fault. */
const LOGIN_WANTED: ReadonlySet<number> = new Set([530, 534, 535, 538])

function told({
  code,
  enhanced,
  text,
}: Reply): Pick<AttemptReport, 'reply' | 'smtpStatus' | 'enhancedStatus'> {
  const reply = `${code} ${enhanced === undefined ? '' : `${enhanced} `}${text}`.slice(0, 1000)
  return { reply, smtpStatus: code, ...(enhanced !== undefined && { enhancedStatus: enhanced }) }
}

/** Dot-stuffed once for all recipients of a message that is still in memory. */
const wireContents = new WeakMap<Buffer, TransactionContent>()

function forWire(content: Buffer): TransactionContent {
  const known = wireContents.get(content)
  if (known) return known
  const eightBit = hasEightBit(content)
  const wire = {
    dotStuffed: dotStuff(content),
    size: content.length,
    eightBit,
    // RFC 6531 §3.2: what an international header wants. An 8-bit body wants no more than 8BITMIME.
    smtpUtf8: eightBit && hasEightBit(headerOf(content)),
  }
  wireContents.set(content, wire)
  return wire
}

function streamed(content: StreamedContent): TransactionContent {
  const { size, eightBit } = content
  return {
    dotStuffed: () => dotStuffed(content.open()),
    size,
    eightBit,
    smtpUtf8: eightBit && hasEightBit(headerOf(content.header)),
  }
}

function headerOf(content: Buffer): Buffer {
  const blank = content.indexOf('\r\n\r\n')
  return blank === -1 ? content : content.subarray(0, blank)
}

/** latin1 decoding keeps one character per octet and runs natively, so the search does too. */
function hasEightBit(content: Buffer): boolean {
  return /[\u0080-\u00ff]/.test(content.toString('latin1'))
}
