import type { Address } from '#model/address.ts'
import type { WorkerBinding } from '#model/worker.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import { parseDomainName } from '#protocol/domain-name.ts'
import type { ProjectFields } from './worker-project-fields.ts'

/** `addresses`: whose mail the Worker takes. */
export function readAddresses(given: readonly string[]): {
  readonly addresses: readonly Address[]
  readonly catchAlls: readonly string[]
  readonly faults: readonly string[]
} {
  const addresses: Address[] = []
  const catchAlls: string[] = []
  const faults: string[] = []
  for (const [index, text] of given.entries()) {
    const wrong = (detail: string) => faults.push(`addresses[${index}]: ${JSON.stringify(text)}: ${detail}`)
    if (text.startsWith('*@')) {
      const domain = parseDomainName(text.slice(2))
      if (typeof domain === 'string') catchAlls.push(domain)
      else wrong(domain.detail)
    } else {
      const address = parseAddress(text)
      if (isAddress(address)) addresses.push(address)
      else wrong(address.detail)
    }
  }
  return { addresses: [...new Set(addresses)], catchAlls: [...new Set(catchAlls)], faults }
}

/** `send_email`: whom each binding may write to, and as whom. */
export function readRestrictions(given: ProjectFields['send_email']): {
  readonly bindings: readonly WorkerBinding[]
  readonly faults: readonly string[]
} {
  const faults: string[] = []
  const bindings = given.map((entry, index): WorkerBinding => {
    const { destination_address: one, allowed_destination_addresses: to } = entry
    const { allowed_sender_addresses: from } = entry
    const at = `send_email[${index}]`
    if (one !== undefined && to !== undefined)
      faults.push(`${at}: destination_address and allowed_destination_addresses do not go together`)
    const named = [
      ...(one === undefined ? [] : [[`${at}.destination_address`, one] as const]),
      ...(to ?? []).map((text, nth) => [`${at}.allowed_destination_addresses[${nth}]`, text] as const),
      ...(from ?? []).map((text, nth) => [`${at}.allowed_sender_addresses[${nth}]`, text] as const),
    ]
    for (const [field, text] of named) {
      const address = parseAddress(text)
      if (!isAddress(address)) faults.push(`${field}: ${JSON.stringify(text)}: ${address.detail}`)
    }
    return {
      ...{ name: entry.name, type: 'send_email' as const },
      ...(one !== undefined && { destinationAddress: one }),
      ...(to && { allowedDestinationAddresses: to }),
      ...(from && { allowedSenderAddresses: from }),
    }
  })
  return { bindings, faults }
}
