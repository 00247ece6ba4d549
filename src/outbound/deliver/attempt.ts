import type { Bodies } from '#bodies/bodies.ts'
import type { Classified } from '#outbound/outcome/classify.ts'
import { classifyReply } from '#outbound/outcome/classify.ts'
import type { AttemptReport } from '#outbound/outcome/outcome.ts'
import type { ClaimedDelivery } from '#outbound/queue/claimed-delivery.ts'
import { dotStuff } from '#protocol/dot-stuffing.ts'
import type { TransactionResult } from '#smtp/client.ts'
import type { Reply } from '#smtp/reply.ts'
import type { OpenHost } from './open-host.ts'

export type Attempt =
  | { readonly kind: 'delivered'; readonly answered: true; readonly report: AttemptReport }
  /** Lost before the content was sent: the recipient's server cannot have taken it. */
  | { readonly kind: 'refused' | 'lost-early'; readonly answered: boolean; readonly report: AttemptReport; readonly classified: Classified }

export interface AttemptOptions {
  readonly bodies: Bodies
  /** The local part of a delivery's own envelope sender. */
  readonly returnPathTag: (deliveryId: string) => string
  readonly now: () => number
}

/** One transaction: one recipient, its own return path, the message's shared content. */
export async function attemptDelivery(
  delivery: ClaimedDelivery,
  { connection, host, address }: OpenHost & { ok: true },
  options: AttemptOptions,
): Promise<Attempt> {
  const started = options.now()
  const content = delivery.content ?? (await options.bodies.read(delivery.message.bodyId))
  if (!content) throw new Error(`body ${delivery.message.bodyId} of message ${delivery.message.id} is missing`)
  const result = await connection.transact({
    mailFrom: `${options.returnPathTag(delivery.id)}@${delivery.message.returnPathDomain}`,
    rcptTo: delivery.recipient,
    content: forWire(content),
  })
  const report: AttemptReport = {
    host,
    address,
    ...(connection.tls && { tls: connection.tls.protocol }),
    durationMs: options.now() - started,
  }
  return judge(result, report)
}

function judge(result: TransactionResult, report: AttemptReport): Attempt {
  switch (result.kind) {
    case 'accepted':
      return { kind: 'delivered', answered: true, report: { ...report, ...told(result.reply) } }
    case 'refused': {
      const { code, enhanced, text } = result.reply
      const classified = classifyReply(result.phase, code, enhanced, text)
      return { kind: 'refused', answered: true, report: { ...report, ...told(result.reply) }, classified }
    }
    case 'lost': {
      // After the final dot the message may have been taken. Better delivered twice than lost (promise 1).
      const reply = `connection lost (${result.phase}): ${result.error.message}`
      const classified = { permanent: false, cause: 'connection-lost' } as const
      return { kind: result.afterFinalDot ? 'refused' : 'lost-early', answered: false, report: { ...report, reply }, classified }
    }
  }
}

function told({ code, enhanced, text }: Reply): Pick<AttemptReport, 'reply' | 'smtpStatus' | 'enhancedStatus'> {
  const reply = `${code} ${enhanced === undefined ? '' : `${enhanced} `}${text}`.slice(0, 1000)
  return { reply, smtpStatus: code, ...(enhanced !== undefined && { enhancedStatus: enhanced }) }
}

interface WireContent {
  readonly dotStuffed: Buffer
  readonly size: number
  readonly eightBit: boolean
  readonly smtpUtf8: boolean
}

/** Dot-stuffed once for all recipients of a message that is still in memory. */
const wireContents = new WeakMap<Buffer, WireContent>()

function forWire(content: Buffer): WireContent {
  const known = wireContents.get(content)
  if (known) return known
  const wire = { dotStuffed: dotStuff(content), size: content.length, eightBit: hasEightBit(content), smtpUtf8: false }
  wireContents.set(content, wire)
  return wire
}

/** latin1 decoding keeps one character per octet and runs natively, so the search does too. */
function hasEightBit(content: Buffer): boolean {
  return /[\u0080-\u00ff]/.test(content.toString('latin1'))
}
