import { type Address, foldAddress } from '#model/address.ts'
import type { Refusal } from '#model/refusal.ts'
import type { RateRefused, RateTaken } from '#registry/quota/rates.ts'
import type { AcceptWorld, Submitter } from './accept-world.ts'
import type { FitSender } from './refuse-sender.ts'

const UNLIMITED: RateTaken = { ok: true, giveBack: () => undefined }

/** Takes what a message to `counted` needs of the rates, or says how long to wait. */
export function takeRates(
  counted: readonly Address[],
  { by, sender, world }: { readonly by: Submitter; readonly sender: FitSender; readonly world: AcceptWorld },
): RateTaken | Refusal {
  if (!world.rates) return UNLIMITED
  const recipients = counted.map(foldAddress)
  const taken = world.rates.take({ accountId: by.accountId, domain: sender.name, recipients })
  return taken.ok ? taken : tooFast(taken)
}

function tooFast({ scope, rate, key, retryAfterMs }: RateRefused): Refusal {
  const whose = { account: 'The account', domain: `The domain ${key}`, recipient: `The account` }[scope]
  const what =
    scope === 'recipient' ? `write to ${key} ${times(rate.count)}` : `send to ${rate.count} recipients`
  const seconds = Math.ceil(retryAfterMs / 1000)
  const detail = `${whose} may ${what} in ${inWords(rate.perMs)}, and has. Nothing was sent. Try again in ${seconds} s; verified destination addresses do not count.`
  return { kind: 'rate-limited', detail, retryAfterMs }
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

function inWords(ms: number): string {
  const units: readonly (readonly [number, string])[] = [
    [86_400_000, 'a day'],
    [3_600_000, 'an hour'],
    [60_000, 'a minute'],
  ]
  return units.find(([length]) => length === ms)?.[1] ?? `${ms / 1000} s`
}
