import type { UseQueryResult } from '@tanstack/react-query'
import type { AccountDomainBody } from '#contract/account-domains.ts'
import type { Answered } from '../api/ask.ts'
import { useAccountDomains } from '../sending/use-account-domains.ts'

const MOST_SHOWN = 6

/** A few of the domains that send, and how many there are. */
export function useFirstDomains(accountId: string): UseQueryResult<Answered<readonly AccountDomainBody[]>> {
  return useAccountDomains(accountId, { sending: true, perPage: MOST_SHOWN })
}
