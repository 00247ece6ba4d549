import type { AddressResult } from '#contract/addresses.ts'
import type { ScriptBody } from '#contract/workers.ts'
import { accountPath } from '../api/ask.ts'
import { useEveryPage } from '../api/ask-every-page.ts'
import { useAsk } from '../api/use-ask.ts'
import { useAccount } from '../shell/use-account.ts'
import { accountRoutingPath } from './routing-paths.ts'

export interface Targets {
  readonly addresses: readonly AddressResult[]
  readonly workers: readonly ScriptBody[]
}

/** How often one looks whether an owner has followed the link. */
const LOOK_MS = 2000

export function useAddresses(accountId: string) {
  return useEveryPage<AddressResult>(accountRoutingPath(accountId, 'addresses'), {
    every: (all) => (all?.some(({ verified }) => verified === null) === true ? LOOK_MS : false),
  })
}

/** Where a rule of the account may lead. Undefined while it is asked for. */
export function useTargets(): Targets | undefined {
  const { id } = useAccount()
  const { data: addresses } = useAddresses(id)
  const { data: workers } = useAsk<readonly ScriptBody[]>(accountPath(id, 'workers/scripts'))
  return addresses && workers && { addresses, workers }
}
