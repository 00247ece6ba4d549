import { Link } from '@cloudflare/kumo/components/link'
import { useQuery } from '@tanstack/react-query'
import type { CatchAllResult } from '#contract/rules.ts'
import type { ZoneBody } from '#contract/zones.ts'
import { ask, withQuery, zonePath } from '../api/ask.ts'
import { Problem } from '../api/problem.ts'
import { queryKey } from '../api/use-ask.ts'
import { useZones } from '../parts/use-zones.ts'
import { visibleText } from '../parts/visible-text.ts'

interface RuleNameProps {
  readonly accountId: string
  readonly ruleId: string
  /** Whose mail the rule took. */
  readonly recipient: string
}

/** A routing rule by what it matches, and the way there; by its id where it is gone. */
export function RuleName({ accountId, ruleId, recipient }: RuleNameProps) {
  const domain = recipient.slice(recipient.lastIndexOf('@') + 1).toLowerCase()
  const zone = zoneOf(domain, useZones(accountId).data ?? [])
  const rule = useQuery({
    queryKey: [...queryKey(zonePath(zone?.id ?? '', 'email/routing/rules')), ruleId, domain],
    queryFn: zone ? ({ signal }) => findRule({ zone, ruleId, domain }, signal) : () => null,
    enabled: zone !== undefined,
    staleTime: 60_000,
  })
  if (!zone || !rule.data) return <>{rule.data === null ? `${ruleId}, which is deleted` : ruleId}</>
  const [matcher] = rule.data.matchers
  const isCatchAll = matcher?.type === 'all'
  const query = {
    tab: isCatchAll ? 'catch-all' : undefined,
    domain: domain === zone.name ? undefined : domain,
  }
  return (
    <Link href={withQuery(`/${accountId}/routing/domains/${zone.id}`, query)}>
      {isCatchAll ? `Catch-all rule of ${domain}` : visibleText(matcher?.value ?? ruleId)}
    </Link>
  )
}

/** The nearest zone that the domain is in. */
function zoneOf(domain: string, zones: readonly ZoneBody[]): ZoneBody | undefined {
  const [nearest] = zones
    .filter(({ name }) => domain === name || domain.endsWith(`.${name}`))
    .toSorted((one, other) => other.name.length - one.name.length)
  return nearest
}

interface Sought {
  readonly zone: ZoneBody
  readonly ruleId: string
  readonly domain: string
}

/** Null where it is gone. A catch-all is asked for by its domain. */
async function findRule(
  { zone, ruleId, domain }: Sought,
  signal: AbortSignal,
): Promise<CatchAllResult | null> {
  const rules = zonePath(zone.id, 'email/routing/rules')
  const subdomain = domain === zone.name ? undefined : domain
  for (const path of [`${rules}/${ruleId}`, withQuery(`${rules}/catch_all`, { subdomain })]) {
    try {
      const rule = await ask<CatchAllResult>(path, { signal })
      if (rule.id === ruleId) return rule
    } catch (error) {
      if (!(error instanceof Problem && error.status >= 400 && error.status < 500)) throw error
    }
  }
  return null
}
