import type { SelectionFields } from '#contract/operator.ts'
import type { OperatorHands } from '#outbound/queue/operator-hands.ts'
import type { Selection } from '#outbound/queue/selection.ts'
import { readDomain } from './read-domain.ts'
import { readDuration, readTime } from './read-moment.ts'

export interface SelectionWorld {
  readonly hands: Pick<OperatorHands, 'domains'>
  /** The MX hosts of a domain as DNS has them now; none where it cannot be told. */
  readonly hostsOf: (domain: string) => Promise<readonly string[]>
  readonly now: () => number
}

export interface SelectionFault {
  readonly detail: string
  readonly pointer: string
}

/** Beyond so many the question where they are served takes too long. */
const MOST_DOMAINS = 5000
const LOOKUPS_AT_ONCE = 50

/** The fields of a request, to what the queue selects by. */
export async function readSelection(
  fields: SelectionFields,
  world: SelectionWorld,
): Promise<Selection | SelectionFault> {
  const ids = fields.ids?.map((id) => id.toLowerCase())
  const wrong = ids?.findIndex((id) => !ID.test(id)) ?? -1
  if (wrong !== -1) return fault(`/ids/${wrong}`, 'An id of a delivery has 32 hex digits.')
  const accountId = fields.account_id?.toLowerCase()
  if (accountId !== undefined && !ID.test(accountId))
    return fault('/account_id', 'An id of an account has 32 hex digits.')
  const domain = fields.domain === undefined ? undefined : readDomain(fields.domain)
  if (fields.domain !== undefined && domain === undefined)
    return fault('/domain', 'domain must be a domain name, such as example.com.')
  const olderThan = fields.older_than === undefined ? undefined : readAge(fields.older_than, world.now())
  if (fields.older_than !== undefined && olderThan === undefined)
    return fault(
      '/older_than',
      'older_than must be a duration (90s, 15m, 2h, 7d), or a time with its offset.',
    )
  const domains = await readDomains(fields, domain, world)
  if (domains && 'detail' in domains) return domains
  return {
    ...(ids && { ids }),
    ...(accountId !== undefined && { accountId }),
    ...(domains && { recipientDomains: domains }),
    ...(fields.state && { state: fields.state }),
    ...(olderThan !== undefined && { olderThan }),
  }
}

const ID = /^[0-9a-f]{32}$/

function fault(pointer: string, detail: string): SelectionFault {
  return { pointer, detail }
}

function readAge(text: string, now: number): number | undefined {
  const duration = readDuration(text)
  return duration === undefined ? readTime(text) : now - duration
}

async function readDomains(
  fields: SelectionFields,
  domain: string | undefined,
  world: SelectionWorld,
): Promise<readonly string[] | SelectionFault | undefined> {
  if (fields.destination === undefined) return domain === undefined ? undefined : [domain]
  const host = readDomain(fields.destination)
  if (host === undefined)
    return fault('/destination', 'destination must be the name of an MX host, such as mx.example.com.')
  const asked = domain === undefined ? await world.hands.domains(MOST_DOMAINS + 1) : [domain]
  if (asked.length > MOST_DOMAINS)
    return fault('/destination', `More than ${MOST_DOMAINS} domains have mail here; give the domain as well.`)
  return domainsAt(host, asked, world)
}

/** Those of the domains that the host serves. */
async function domainsAt(
  host: string,
  domains: readonly string[],
  { hostsOf }: SelectionWorld,
): Promise<readonly string[]> {
  const served: string[] = []
  for (let from = 0; from < domains.length; from += LOOKUPS_AT_ONCE) {
    const some = domains.slice(from, from + LOOKUPS_AT_ONCE)
    const hosts = await Promise.all(some.map(async (domain) => ({ domain, hosts: await hostsOf(domain) })))
    for (const each of hosts) if (each.hosts.includes(host)) served.push(each.domain)
  }
  return served
}
