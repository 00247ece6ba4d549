import type { FastifyInstance } from 'fastify'
import {
  type AccountDomainBody,
  type AccountDomainsQuery,
  listAccountDomains,
} from '#contract/account-domains.ts'
import { pageInfo } from '#contract/paging.ts'
import { parseDomainName } from '#protocol/domain-name.ts'
import { isGrantedSomewhere, permissionsIn } from '#registry/accounts/policy.ts'
import type { AccountDomain } from '#registry/domains/account-domains.ts'
import type { MailSetup } from '#registry/domains/mail-setup.ts'
import type { Reputation, Standing } from '#registry/reputation/reputation.ts'
import { apiTime } from './api-time.ts'
import { LACKING, type ServedBy, serveOperation } from './serve-operation.ts'

export interface AccountDomainsWorld extends ServedBy {
  readonly mailSetup: Pick<MailSetup, 'accountDomains'>
  readonly reputation: Pick<Reputation, 'troubled'>
}

const READS = 'Email Sending:Read'

/** What an account sends from, over all of its zones: one question in place of one for each zone. */
export function accountDomainRoutes(api: FastifyInstance, world: AccountDomainsWorld): void {
  const { mailSetup, reputation } = world

  serveOperation(api, { operation: listAccountDomains, world }, async ({ by, accountId, query }) => {
    if (!isGrantedSomewhere(by.principal, READS))
      return { ...LACKING, detail: `The API token lacks the permission "${READS}".` }
    const [all, troubled] = await Promise.all([
      mailSetup.accountDomains(accountId),
      reputation.troubled(accountId),
    ])
    const wanted = all.flatMap((entry) => {
      const granted = permissionsIn(by.principal, entry.zone.id)
      if (!granted.has(READS)) return []
      const rates = granted.has('Analytics:Read') ? (troubled.get(entry.domain?.id ?? '') ?? FINE) : undefined
      const body = bodyOf(entry, rates)
      return isWanted(body, query) ? [body] : []
    })
    const { page, per_page } = query
    const result = wanted.slice((page - 1) * per_page, page * per_page)
    return { result, info: pageInfo(query, result.length, wanted.length) }
  })
}

const FINE: Standing = { problems: [], problemsSince: null }

/** `rates`: undefined where they are not for who asks. */
function bodyOf({ zone, domain }: AccountDomain, rates: Standing | undefined): AccountDomainBody {
  const { id, name, status, type, dns } = zone
  return {
    tag: domain?.id ?? null,
    name: domain?.name ?? name,
    created: apiTime(domain?.createdAt ?? zone.createdAt),
    zone: { id, name, status, type, dns },
    status: statusOf(domain),
    errors: domain?.look?.problems ?? [],
    checked: domain?.look ? apiTime(domain.look.at) : null,
    problems: rates ? rates.problems : null,
    problems_since: typeof rates?.problemsSince === 'number' ? apiTime(rates.problemsSince) : null,
  }
}

/** Records of sending are never unlocked, so that there is no word for it (clients.md §4). */
function statusOf(domain: AccountDomain['domain']): AccountDomainBody['status'] {
  if (!domain) return 'unconfigured'
  if (!domain.look) return null
  return domain.look.status === 'ready' ? 'ready' : 'misconfigured'
}

function isWanted(body: AccountDomainBody, { name, sending, attention }: AccountDomainsQuery): boolean {
  if (name !== undefined && !isNamed(body.name, name)) return false
  if (sending !== undefined && (body.tag !== null) !== (sending === 'true')) return false
  return attention === undefined || needsAttention(body) === (attention === 'true')
}

/** A domain may be asked for in its own script. */
function isNamed(name: string, part: string): boolean {
  const ascii = parseDomainName(part)
  return name.includes(part.toLowerCase()) || (typeof ascii === 'string' && name.includes(ascii))
}

/** What was never looked at is not known to be wrong. */
function needsAttention({ zone, status, problems }: AccountDomainBody): boolean {
  if (zone.status === 'pending') return true
  return status === 'misconfigured' || (problems !== null && problems.length > 0)
}
