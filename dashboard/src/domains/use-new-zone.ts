import { useState } from 'react'
import type { ZoneBody } from '#contract/zones.ts'
import { accountPath, ask } from '../api/ask.ts'
import { Problem, problemText } from '../api/problem.ts'
import { useSession } from '../api/session.ts'
import { useAct } from '../api/use-ask.ts'
import { plainDomain } from './covering-zone.ts'
import { DNS_ROADS, type DnsRoad } from './dns-roads.ts'

interface NewZone {
  readonly road: DnsRoad
  readonly setRoad: (road: DnsRoad) => void
  /** Makes the zone of a domain, as people write its name. Nothing is written to DNS yet. */
  readonly create: (domain: string) => Promise<ZoneBody>
  readonly isPending: boolean
  /** What is wrong with the name, and what else. */
  readonly nameProblem: string | undefined
  readonly otherProblem: string | undefined
  readonly reset: () => void
}

/** A zone that the account does not have yet, and where it has its DNS. */
export function useNewZone(accountId: string): NewZone {
  const { development } = useSession()
  // In development every zone is its maker's at once, and hosting it asks nothing of anybody.
  const [road, setRoad] = useState<DnsRoad>(development ? 'full' : 'manual')
  const create = useAct(
    (domain: string) => {
      const body = { name: plainDomain(domain), account: { id: accountId }, ...DNS_ROADS[road].wish }
      return ask<ZoneBody>('/client/v4/zones', { method: 'POST', body })
    },
    ['/client/v4/zones', accountPath(accountId, 'email/routing/zones')],
  )
  const { error, isPending, mutateAsync, reset } = create
  const nameProblem = error instanceof Problem ? error.at('/name') : undefined
  const otherProblem = error && nameProblem === undefined ? problemText(error) : undefined
  return { road, setRoad, create: mutateAsync, isPending, nameProblem, otherProblem, reset }
}
