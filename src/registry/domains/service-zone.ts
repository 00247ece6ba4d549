import { isIP, isIPv4, isIPv6 } from 'node:net'
import { ROUTING_SELECTOR, type ServiceNames } from '#model/service.ts'
import { isPublicAddress } from '#net/private-address.ts'
import { parseDomainName } from '#protocol/domain-name.ts'
import { writeStsRecord } from '#protocol/mta-sts.ts'
import { servicePolicyId } from './mta-sts.ts'
import { dkimText, MX_PREFERENCES, spfInclude } from './onboarding-records.ts'
import { type ZoneContents, zoneContents } from './zone-contents.ts'
import { AUTOMATIC_TTL_SECONDS, type RecordData, type ZoneRecord } from './zone-record.ts'

/** What of the operator's network the service zone publishes. */
export interface ServiceAddresses {
  /** IP addresses of the hosts strangers connect to: MX, submission, name servers. */
  readonly hosts: readonly string[]
  /** IP addresses and CIDR ranges mail leaves from. */
  readonly sources: readonly string[]
  /** Smarthosts that it leaves through, as SPF mechanisms: `a:relay.example.com`, `include:spf.provider.example`. */
  readonly relays?: readonly string[]
  /** Whether `pass.<service>` authorises loopback, for DMARC too: development only. */
  readonly pass: boolean
  /** Whether the hosts serve MTA-STS policies. */
  readonly policies?: boolean
  /** Whether the hosts serve Workers, which may have host names in customers' zones. */
  readonly workers?: boolean
}

/** On a laptop everything is loopback. */
export const LOOPBACK_ADDRESSES: ServiceAddresses = {
  hosts: ['127.0.0.1', '::1'],
  sources: ['127.0.0.0/8', '::1'],
  pass: true,
}

/** The service's own name servers. */
export function nameServers(service: ServiceNames): readonly string[] {
  return [`ns1.${service.domain}`, `ns2.${service.domain}`]
}

/** The name servers that a customer delegates this zone to. They are the zone's own, so that a delegation proves whose
 *  zone was meant: one that an earlier owner left behind proves nothing for the next. The id's last digits are random. */
export function zoneNameServers(service: ServiceNames, zoneId: string): readonly string[] {
  return nameServers(service).map((host) => `${zoneId.slice(-16)}.${host}`)
}

export function responsible(service: ServiceNames): string {
  return `hostmaster.${service.domain}`
}

/** The service domain's own records (DECISIONS, Domains). `_mta-sts.mx` and its policy host are not among them where
 *  no policy is served: a TXT record that leads to no policy makes senders retry for nothing.
 *  `emailKey` is the public key of `email.<service>` in base64. */
export function serviceZone(
  service: ServiceNames,
  addresses: ServiceAddresses,
  emailKey: string | undefined,
): ZoneContents {
  const records: ZoneRecord[] = []
  const add = (name: string, ...data: RecordData[]) => {
    for (const one of data) records.push({ name, ttl: AUTOMATIC_TTL_SECONDS, ...one })
  }
  // The apex is the name that we greet with: RFC 5321 §4.1.4 wants an address for it.
  const zonesHosts = nameServers(service).map((host) => `*.${host}`)
  for (const host of [
    ...[service.domain, ...service.routes, service.submission],
    ...[...nameServers(service), ...zonesHosts],
  ])
    add(host, ...addresses.hosts.map(addressRecord))
  add(service.spf, { type: 'TXT', text: serviceSpf(addresses) })
  // The apex is what we greet with: SPF is asked about it where the sender is null (RFC 7208 §2.4).
  add(service.domain, { type: 'TXT', text: spfInclude(service) })
  add(
    service.email,
    ...service.routes.map(
      (exchange, i): RecordData => ({ type: 'MX', preference: MX_PREFERENCES[i] ?? 0, exchange }),
    ),
    { type: 'TXT', text: spfInclude(service) },
  )
  if (emailKey)
    add(`${ROUTING_SELECTOR}._domainkey.${service.email}`, { type: 'TXT', text: dkimText(emailKey) })
  if (addresses.policies) {
    add(service.mtaSts, { type: 'TXT', text: writeStsRecord(servicePolicyId(service)) })
    add(service.mtaStsPolicy, ...addresses.hosts.map(addressRecord))
  }
  if (addresses.pass) {
    // What comes from there can be answered: its MX is that of every name outside, the sandbox.
    const exchange: RecordData = { type: 'MX', preference: 10, exchange: `sandbox.${service.domain}` }
    add(service.pass, { type: 'TXT', text: spf(['127.0.0.0/8', '::1'], '-all') }, exchange)
    // A Worker may reply only where DMARC passes.
    add(`_dmarc.${service.pass}`, { type: 'TXT', text: 'v=DMARC1; p=none;' })
  }
  return zoneContents({
    apex: service.domain,
    nameServers: nameServers(service),
    responsible: responsible(service),
    serial: 1,
    records,
  })
}

/** What customers' SPF records include. The page's own answer (reference-postmaster.md) ends in ~all. */
export function serviceSpf({ sources, relays }: Pick<ServiceAddresses, 'sources' | 'relays'>): string {
  return spf(sources, '~all', relays)
}

export function addressRecord(address: string): RecordData {
  return { type: isIPv6(address) ? 'AAAA' : 'A', data: address }
}

/** Addresses first: a checker that finds the sender among them asks DNS no more (RFC 7208 §4.6.4 lets it ask ten times,
 *  and the record that includes this one was the first). */
function spf(sources: readonly string[], all: '~all' | '-all', relays: readonly string[] = []): string {
  return ['v=spf1', ...sources.map(addressMechanism), ...relays, all].join(' ')
}

/** RFC 7208 §5.6. */
function addressMechanism(source: string): string {
  const [address = ''] = source.split('/')
  return `${isIPv4(address) ? 'ip4' : 'ip6'}:${source}`
}

/** What authorises a smarthost to send on for us: a guess, which holds where the host that takes our mail also sends it.
 *  Of a provider's it rarely does, and the operator has to say what its manual says. Nothing for a host that strangers
 *  could not look up. */
export function relayMechanisms(host: string): readonly string[] {
  if (isIP(host)) return isPublicAddress(host) ? [addressMechanism(host)] : []
  const name = parseDomainName(host)
  return typeof name === 'string' ? [`a:${name}`] : []
}
