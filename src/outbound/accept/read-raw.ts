import type { Address } from '#model/address.ts'
import type { Refusal } from '#model/refusal.ts'
import { type RawMessage, readRawMessage } from '#outbound/compose/compose-raw.ts'
import { distinct, MOST_RECIPIENTS, readAddress } from './read-draft.ts'
import type { Raw } from './submission.ts'

/** A raw message and its envelope. The envelope decides where it goes, the From header what it is signed as. */
export interface ReadRaw {
  readonly message: RawMessage
  readonly envelopeFrom: Address
  readonly recipients: readonly Address[]
  readonly leastBytes: number
}

export function readRaw(raw: Raw): ReadRaw | Refusal {
  const envelopeFrom = readAddress(raw.from)
  if (typeof envelopeFrom !== 'string') return envelopeFrom
  if (raw.recipients.length > MOST_RECIPIENTS) {
    const detail = `${raw.recipients.length} recipients; ${MOST_RECIPIENTS} is the most.`
    return { kind: 'too-many-recipients', pointer: '/recipients', detail }
  }
  const recipients: Address[] = []
  for (const field of raw.recipients) {
    const recipient = readAddress(field)
    if (typeof recipient !== 'string') return recipient
    recipients.push(recipient)
  }
  const message = readRawMessage(raw.mime)
  if ('kind' in message) return { pointer: raw.mimePointer, ...message }
  return { message, envelopeFrom, recipients: distinct(recipients), leastBytes: message.body.length }
}
