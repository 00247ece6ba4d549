import type { Address } from '#model/address.ts'
import type { Refusal } from '#model/refusal.ts'
import { type RawMessage, readRawMessage } from '#outbound/compose/compose-raw.ts'
import { distinct, MOST_RECIPIENTS, readAddress } from './read-draft.ts'
import type { Recipient } from './recipient.ts'
import type { Raw } from './submission.ts'

/** A raw message and its envelope. The envelope decides where it goes, the From header what it is signed as. */
export interface ReadRaw {
  readonly message: RawMessage
  /** Where a refusal of the content points. */
  readonly messagePointer: string
  /** Of the From header. */
  readonly from: Address
  readonly envelopeFrom: Address
  readonly recipients: readonly Recipient[]
  /** Of the message as it was submitted. */
  readonly bytes: number
}

export function readRaw(raw: Raw): ReadRaw | Refusal {
  const envelopeFrom = readAddress(raw.from)
  if (typeof envelopeFrom !== 'string') return envelopeFrom
  if (raw.recipients.length > MOST_RECIPIENTS) {
    const detail = `${raw.recipients.length} recipients; ${MOST_RECIPIENTS} is the most.`
    return { kind: 'too-many-recipients', pointer: '/recipients', detail }
  }
  const recipients: Recipient[] = []
  for (const field of raw.recipients) {
    const address = readAddress(field)
    if (typeof address !== 'string') return address
    recipients.push({ address, pointer: field.pointer })
  }
  const message = readRawMessage(raw.mime)
  if ('kind' in message) return { pointer: raw.mimePointer, ...message }
  return {
    message,
    messagePointer: raw.mimePointer,
    from: message.from,
    envelopeFrom,
    recipients: distinct(recipients),
    bytes: raw.mime.length,
  }
}
