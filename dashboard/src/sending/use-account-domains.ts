import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query'
import type { AccountDomainBody } from '#contract/account-domains.ts'
import { type Answered, accountPath, askWhole, withQuery } from '../api/ask.ts'
import { askEveryPage } from '../api/ask-every-page.ts'
import { queryKey } from '../api/use-ask.ts'

export interface AccountDomainsQuestion {
  /** A part of the name. */
  readonly name?: string | undefined
  /** Only domains that send, or only zones of which none does. */
  readonly sending?: boolean | undefined
  /** Only those with something to be done. */
  readonly attention?: boolean | undefined
  readonly page?: number
  readonly perPage: number
}

/** A domain that sends. */
export type SendingDomain = AccountDomainBody & { readonly tag: string }

/** Somebody may be mending what is wrong, and the server looks at DNS by itself. */
const LOOK_AGAIN_MS = 10_000

/** What an account sends from, page by page: each domain with its state as of the last look at DNS. Asked again while one
 *  of those that are shown has something to be done. */
export function useAccountDomains(
  accountId: string,
  question: AccountDomainsQuestion,
): UseQueryResult<Answered<readonly AccountDomainBody[]>> {
  const { name, sending, attention, page, perPage } = question
  const query = { name, sending: word(sending), attention: word(attention), page, per_page: perPage }
  const path = withQuery(accountPath(accountId, 'email/sending/domains'), query)
  return useQuery({
    queryKey: [...BELOW_ZONES, ...queryKey(path)],
    queryFn: ({ signal }) => askWhole<readonly AccountDomainBody[]>(path, { signal }),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.result.some(waits) ? LOOK_AGAIN_MS : false),
  })
}

/** All domains of an account that send, to choose one from. */
export function useSendingDomains(accountId: string): UseQueryResult<readonly SendingDomain[]> {
  const path = withQuery(accountPath(accountId, 'email/sending/domains'), { sending: 'true' })
  return useQuery({
    queryKey: [...BELOW_ZONES, ...queryKey(path), 'every page'],
    queryFn: ({ signal }) => askEveryPage<SendingDomain>(path, signal),
  })
}

/** Whatever changes a zone or its domains has these asked anew. */
const BELOW_ZONES = queryKey('/client/v4/zones/of-account')

function word(wish: boolean | undefined): string | undefined {
  return wish === undefined ? undefined : String(wish)
}

function waits({ tag, status, zone }: AccountDomainBody): boolean {
  return zone.status === 'pending' || (tag !== null && status === 'misconfigured')
}

export function isSendingDomain(entry: AccountDomainBody): entry is SendingDomain {
  return entry.tag !== null
}
