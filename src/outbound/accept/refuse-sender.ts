import { type Address, domainOf } from '#model/address.ts'
import type { Refusal } from '#model/refusal.ts'
import { permissionsIn } from '#registry/accounts/policy.ts'
import type { Domains } from '#registry/domains/domains.ts'
import type { SenderDomain } from '#registry/domains/sender-domain.ts'
import type { Submitter } from './accept-world.ts'
import type { Recipient } from './recipient.ts'

/** A domain that may send, under either service. */
export type FitSender = SenderDomain & { readonly kind: 'sending' | 'routing-only' }

function isFit(sender: SenderDomain): sender is FitSender {
  return sender.kind === 'sending' || sender.kind === 'routing-only'
}

/** The domain that mail from this address is sent as, or why it cannot be. `pointer` names where the address stood. */
export async function findSender(
  from: Address,
  pointer: string,
  { by, domains }: { readonly by: Submitter; readonly domains: Domains },
): Promise<FitSender | Refusal> {
  if (!by.sendingEnabled) {
    return { kind: 'account-not-entitled', detail: 'Sending is switched off for this account.' }
  }
  const sender = await domains.senderDomain(by.accountId, domainOf(from))
  if (!isFit(sender)) return refuseSender(sender, from, pointer)
  // A token may be limited to some of its account's zones: the door lets it in, and here is where it counts.
  if (!permissionsIn(by, sender.zoneId).has('Email Sending:Edit')) {
    const detail = `The API token lacks the permission "Email Sending:Edit" for ${domainOf(from)}.`
    return { kind: 'sender-not-verified', pointer, detail }
  }
  return sender
}

/** Why mail from this address cannot be sent (DECISIONS: who may send). */
function refuseSender(sender: Exclude<SenderDomain, FitSender>, from: Address, pointer: string): Refusal {
  const domain = domainOf(from)
  switch (sender.kind) {
    case 'disabled':
      return { kind: 'sending-disabled', pointer, detail: `Sending is switched off for ${domain}.` }
    case 'unknown': {
      const detail = `${domain} is not onboarded for sending. Onboard it, or send from a domain that is; a subdomain is onboarded on its own.`
      return { kind: 'sender-domain-not-available', pointer, detail }
    }
    case 'unverified': {
      const detail = `${domain} is not verified for this account: its DKIM and SPF records have not been seen in DNS yet, or it belongs to another account.`
      return { kind: 'sender-not-verified', pointer, detail }
    }
  }
}

/** A domain with routing only sends to its account's own people. */
export function refuseUnverified({ address, pointer }: Recipient, domain: string): Refusal {
  const detail = `${address} is not a verified destination address of this account, and ${domain} is set up for routing only. Verify the address, or onboard ${domain} for sending.`
  return { kind: 'recipient-not-allowed', pointer, detail }
}
