import { isIP } from 'node:net'
import { ROUTING_SELECTOR, type ServiceNames } from '#model/service.ts'
import type { GuardedFetch } from '#net/guarded-fetch.ts'
import { isPublicAddress } from '#net/private-address.ts'
import type { Resolver, ReverseLookup } from '#net/resolver.ts'
import { MAX_POLICY_OCTETS, readStsId, writeStsRecord } from '#protocol/mta-sts.ts'
import { reverseName } from '#protocol/reversed-address.ts'
import { hasInclude, isSpfText } from '#protocol/spf-record.ts'
import type { Store } from '#store/store.ts'
import { countSpfLookups } from './count-spf-lookups.ts'
import { findServiceKey } from './dkim-key.ts'
import { judgeServicePolicy } from './judge-service-policy.ts'
import { judgeServiceSpf } from './judge-service-spf.ts'
import { servicePolicy, servicePolicyId } from './mta-sts.ts'
import { dkimKeyIn, dkimName, dkimText, MX_PREFERENCES, spfInclude } from './onboarding-records.ts'
import {
  type About,
  judged,
  judgedTexts,
  lacking,
  ready,
  recordText,
  type ServiceItem,
  type ServiceSubject,
} from './service-item.ts'
import { type ServiceAddresses, serviceSpf } from './service-zone.ts'

/** What the service's own names say to strangers (DECISIONS, Domains). In: what this installation is. Out: one item for
 *  each thing that customers' mail depends on, and for what is missing a sentence that its operator can act on. Promise:
 *  it asks DNS and the policy host as strangers would, and never rejects because of them. */
export interface ServiceCheck {
  /** Milliseconds since 1970. */
  readonly checkedAt: number
  readonly ready: boolean
  readonly items: readonly ServiceItem[]
}

export interface ServiceCheckWorld {
  readonly store: Store
  readonly service: ServiceNames
  readonly addresses: ServiceAddresses
  /** What delivery greets with. */
  readonly helo: string
  /** DNS itself, without a memory of its own. */
  readonly resolver: Resolver & ReverseLookup
  readonly fetch: GuardedFetch
  readonly clock: () => number
}

const FETCH_MS = 10_000

export async function checkService(world: ServiceCheckWorld): Promise<ServiceCheck> {
  const { service, addresses } = world
  const items = await Promise.all([
    spf(world),
    ...service.routes.map((name) => host(world, 'mx-host', name)),
    host(world, 'submission-host', service.submission),
    emailMx(world),
    emailSpf(world),
    emailDkim(world),
    ...(addresses.policies
      ? [sts(world), host(world, 'policy-host', service.mtaStsPolicy), policy(world)]
      : []),
    helo(world),
    ...publicSources(world).map((source) => ptr(world, source)),
  ])
  return { checkedAt: world.clock(), ready: items.every(({ state }) => state === 'ready'), items }
}

async function spf({ service, addresses, resolver }: ServiceCheckWorld): Promise<ServiceItem> {
  const name = service.spf
  const wanted = serviceSpf(addresses)
  const about = { subject: 'spf', name, expected: [recordText('TXT', name, wanted)] } as const
  const answer = await resolver.txt(name)
  const there = answer.kind === 'found' ? answer.records.find(isSpfText) : undefined
  const lookups = there === undefined ? undefined : await countSpfLookups(there, (host) => resolver.txt(host))
  return judgedTexts(about, answer, (texts) => judgeServiceSpf(about, { wanted, texts, lookups }))
}

const PURPOSES = {
  'mx-host': "customers' MX records name this host",
  'submission-host': 'programs that send by SMTP connect to this host',
  'policy-host': 'senders look for MTA-STS policies at this host',
} as const satisfies Partial<Record<ServiceSubject, string>>

async function host(
  { addresses, resolver }: ServiceCheckWorld,
  subject: keyof typeof PURPOSES,
  name: string,
): Promise<ServiceItem> {
  const { hosts } = addresses
  const expected = hosts.map((address) => addressText(name, address))
  const about = { subject, name, expected }
  return judged(about, await resolver.addresses(name), (records) => {
    const found = records.map(({ address }) => addressText(name, address))
    const foreign = records.filter(({ address }) => !hosts.includes(address))
    if (records.length === 0)
      return lacking(about, 'missing', `Publish ${expected.join(', ')}: ${PURPOSES[subject]}.`)
    if (foreign.length > 0) {
      const there = foreign.map(({ address }) => address).join(', ')
      const advice = `Take ${there} away from ${name}: this service is at ${hosts.join(', ')}, and ${PURPOSES[subject]}.`
      return lacking(about, 'wrong', advice, found)
    }
    return ready(about, found)
  })
}

function addressText(name: string, address: string): string {
  return recordText(isIP(address) === 6 ? 'AAAA' : 'A', name, address)
}

async function emailMx({ service, resolver }: ServiceCheckWorld): Promise<ServiceItem> {
  const name = service.email
  const text = (exchange: string, preference: number) => recordText('MX', name, `${preference} ${exchange}`)
  const expected = service.routes.map((exchange, i) => text(exchange, MX_PREFERENCES[i] ?? 0))
  const about = { subject: 'email-mx', name, expected } as const
  return judged(about, await resolver.mx(name), (records) => {
    const hosts = records.map(({ exchange }) => exchange.toLowerCase().replace(/\.$/, ''))
    const found = records.map(({ exchange, preference }) => text(exchange, preference))
    const absent = expected.filter((_, i) => !hosts.includes(service.routes[i] ?? ''))
    if (absent.length > 0) {
      const advice = `Publish ${absent.join(', ')}: bounces of forwards and notices come back there.`
      return lacking(about, records.length === 0 ? 'missing' : 'wrong', advice, found)
    }
    const foreign = found.filter((_, i) => !service.routes.some((route) => route === hosts[i]))
    if (foreign.length > 0)
      return lacking(about, 'wrong', `Remove ${foreign.join(', ')}: bounces that go there are lost.`, found)
    return ready(about, found)
  })
}

async function emailSpf({ service, resolver }: ServiceCheckWorld): Promise<ServiceItem> {
  const name = service.email
  const record = recordText('TXT', name, spfInclude(service))
  const about = { subject: 'email-spf', name, expected: [record] } as const
  const why = 'forwards and notices have their envelope sender there'
  return judgedTexts(about, await resolver.txt(name), (texts) => {
    const found = texts.filter(isSpfText)
    const [text] = found
    if (text === undefined) return lacking(about, 'missing', `Publish ${record}: ${why}.`)
    if (found.length > 1)
      return lacking(
        about,
        'wrong',
        `Leave one SPF record at ${name}: receivers take several for none.`,
        found,
      )
    return hasInclude(text, service.spf)
      ? ready(about, found)
      : lacking(about, 'wrong', `Add include:${service.spf} to the SPF record of ${name}: ${why}.`, found)
  })
}

async function emailDkim({ store, service, resolver }: ServiceCheckWorld): Promise<ServiceItem> {
  const key = await findServiceKey(store, service.email)
  const name = dkimName(ROUTING_SELECTOR, service.email)
  const record = key ? recordText('TXT', name, dkimText(key.public_key)) : ''
  const about = { subject: 'email-dkim', name, expected: key ? [record] : [] } as const
  return judgedTexts(about, await resolver.txt(name), (found) => {
    // It comes with the first start, and with it its record.
    if (!key) return lacking(about, 'missing', `Start the service once, so that it makes the key of ${name}.`)
    const why = 'forwards and notices are signed with its key'
    if (found.length === 0) return lacking(about, 'missing', `Publish ${record}: ${why}.`)
    const good = found.length === 1 && found.every((text) => dkimKeyIn(text) === key.public_key)
    return good
      ? ready(about, found)
      : lacking(about, 'wrong', `Publish ${record} in place of what is there: ${why}.`, found)
  })
}

async function sts({ service, resolver }: ServiceCheckWorld): Promise<ServiceItem> {
  const name = service.mtaSts
  const wanted = servicePolicyId(service)
  const record = recordText('TXT', name, writeStsRecord(wanted))
  const about = { subject: 'mta-sts', name, expected: [record] } as const
  const why = `customers' names lead here, and senders look for the policy by its id`
  return judgedTexts(about, await resolver.txt(name), (found) => {
    if (found.length === 0) return lacking(about, 'missing', `Publish ${record}: ${why}.`)
    return readStsId(found) === wanted
      ? ready(about, found)
      : lacking(about, 'wrong', `Publish ${record} in place of what is there: ${why}.`, found)
  })
}

async function policy({ service, fetch }: ServiceCheckWorld): Promise<ServiceItem> {
  const wanted = servicePolicy(service)
  const name = `https://${service.mtaStsPolicy}/.well-known/mta-sts.txt`
  const expected = [`the policy ${servicePolicyId(service)}`]
  const fetched = await fetch(name, { timeoutMs: FETCH_MS, maxOctets: MAX_POLICY_OCTETS })
  return judgeServicePolicy({ subject: 'policy', name, expected }, fetched, wanted)
}

/** RFC 5321 §4.1.4: the name that a client greets with is that of a host. */
async function helo({ helo: name, addresses, resolver }: ServiceCheckWorld): Promise<ServiceItem> {
  const about: About = {
    subject: 'helo',
    name,
    expected: addresses.hosts.map((one) => addressText(name, one)),
  }
  return judged(about, await resolver.addresses(name), (records) => {
    const found = records.map(({ address }) => addressText(name, address))
    if (found.length > 0) return ready(about, found)
    const advice = `Publish an address of ${name}: delivery greets with it (POSTHORN_EHLO_NAME), and receivers look it up.`
    return lacking(about, 'missing', advice)
  })
}

/** Receivers want the address that connects to have a name, and the name to lead back (Gmail refuses others). */
async function ptr({ helo: greeting, resolver }: ServiceCheckWorld, source: string): Promise<ServiceItem> {
  const about: About = { subject: 'ptr', name: source, expected: [`${source} PTR ${greeting}`] }
  const [names, forward] = await Promise.all([
    resolver.ptr(reverseName(source) ?? source),
    resolver.addresses(greeting),
  ])
  return judged(about, names, (records) => {
    const hosts = records.map((name) => name.toLowerCase().replace(/\.$/, ''))
    const found = hosts.map((name) => `${source} PTR ${name}`)
    const ask = `Have whoever gave you ${source} set its PTR record to ${greeting}`
    if (hosts.length === 0)
      return lacking(about, 'missing', `${ask}: many receivers refuse mail from an address without a name.`)
    if (!hosts.includes(greeting))
      return lacking(
        about,
        'wrong',
        `${ask}: it says ${hosts.join(', ')}, and delivery greets otherwise.`,
        found,
      )
    const leadsBack = forward.kind === 'found' && forward.records.some(({ address }) => address === source)
    return leadsBack
      ? ready(about, found)
      : lacking(
          about,
          'wrong',
          `Publish ${addressText(greeting, source)}: the PTR record of ${source} must lead back.`,
          found,
        )
  })
}

/** Of ranges nobody knows which address is used; and an address that strangers never see needs no name. */
function publicSources({ addresses }: ServiceCheckWorld): readonly string[] {
  return addresses.sources.filter((source) => isPublicAddress(source))
}
