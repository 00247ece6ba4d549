import { foldAddress } from '#model/address.ts'
import type { Refusal, RefusalKind } from '#model/refusal.ts'
import type { AcceptOptions } from '#outbound/accept/accept-world.ts'
import type { Recipient } from '#outbound/accept/recipient.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { OutgoingMessage, SendEmailBinding } from '#workers/runtime/host-services.ts'

/** A binding's restrictions (config-send-bindings.md), of which it may have several. A recipient is one in `to`, `cc` or
 *  `bcc`; addresses compare without regard to case. */
export function restrictionOf(binding: SendEmailBinding): NonNullable<AcceptOptions['restrict']> {
  const { name, destinationAddress, allowedDestinationAddresses, allowedSenderAddresses } = binding
  const rules: readonly Rule[] = [
    {
      ...{ of: 'senders', kind: 'sender-not-verified', addresses: allowedSenderAddresses },
      why: `is not among the allowed_sender_addresses of the binding ${name}`,
    },
    {
      ...{ of: 'recipients', kind: 'recipient-not-allowed', addresses: allowedDestinationAddresses },
      why: `is not among the allowed_destination_addresses of the binding ${name}`,
    },
    {
      ...{ of: 'recipients', kind: 'recipient-not-allowed' },
      addresses: destinationAddress === undefined ? undefined : [destinationAddress],
      why: `is not the destination_address of the binding ${name}`,
    },
  ]
  return (parties) => {
    for (const { of, kind, addresses, why } of rules) {
      if (!addresses) continue
      const allowed = foldedOf(addresses)
      const outside = parties[of].find(({ address }) => !allowed.has(foldAddress(address)))
      if (outside) return refuse(kind, outside, why)
    }
    return undefined
  }
}

interface Rule {
  readonly of: 'senders' | 'recipients'
  readonly kind: RefusalKind
  readonly addresses: readonly string[] | undefined
  readonly why: string
}

function refuse(kind: RefusalKind, { address, pointer }: Recipient, why: string): Refusal {
  return { kind, pointer, detail: `${address} ${why}.` }
}

/** What is no address allows nobody. */
function foldedOf(addresses: readonly string[]): ReadonlySet<string> {
  return new Set(addresses.map(parseAddress).filter(isAddress).map(foldAddress))
}

/** The page: where `to` is null or undefined, the binding's one destination is meant. */
export function withDestination(
  message: OutgoingMessage,
  { destinationAddress }: SendEmailBinding,
): OutgoingMessage {
  if (destinationAddress === undefined) return message
  if (message.kind === 'raw') return { ...message, to: message.to ?? destinationAddress }
  const { fields } = message
  const isObject = typeof fields === 'object' && fields !== null && !Array.isArray(fields)
  if (!isObject || ('to' in fields && fields.to !== null && fields.to !== undefined)) return message
  return { kind: 'builder', fields: { ...fields, to: destinationAddress } }
}
