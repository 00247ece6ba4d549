import { isIPv6 } from 'node:net'
import type { TlsWish } from '#model/delivery.ts'
import type { Cause } from '#model/event.ts'
import { checkDnsId } from '#net/check-dns-id.ts'
import type { AttemptReport } from '#outbound/outcome/attempt-event.ts'
import { type Classified, classifyReply } from '#outbound/outcome/classify.ts'
import { type ClientTls, type ConnectFailure, connectSmtp } from '#smtp/client.ts'
import type { SmtpTimeouts } from '#smtp/client-timeouts.ts'
import type { SmtpConnection } from '#smtp/smtp-connection.ts'
import type { NextHop } from './next-hop.ts'
import { addressesOf, type MxHost, type RouteOptions, tryingOrder } from './route.ts'
import { type DemandOptions, demandOf, type TlsDemand } from './tls-policy.ts'
import { Transcript } from './transcript.ts'

export type OpenHost =
  | {
      readonly ok: true
      readonly connection: SmtpConnection
      readonly host: string
      readonly address: string
      readonly transcript: Transcript
      /** What every attempt over it tells of its TLS. */
      readonly tls: Pick<AttemptReport, 'tls' | 'tlsPolicy' | 'tlsFailure'>
      /** RFC 8689 §2: said with MAIL. */
      readonly requireTls: boolean
    }
  | {
      readonly ok: false
      readonly report: AttemptReport
      readonly cause: Cause
      /** Set where no other time would do better. */
      readonly classified?: Classified
    }

export interface OpenHostOptions extends Pick<RouteOptions, 'resolver' | 'privateDestinations'> {
  readonly ehloName: string
  /** Own addresses that connections leave from; those of the system where there is none of the family. */
  readonly sources?: { readonly ipv4?: string; readonly ipv6?: string }
  readonly random: () => number
  /** Authorities that certificates are verified against; the system's where there are none. */
  readonly ca?: string
  readonly timeouts?: Partial<SmtpTimeouts>
  readonly isPaused: (host: string) => boolean
  /** False keeps us from an address altogether: a development instance leaves its machine for nobody. */
  readonly mayDial: (address: string) => boolean
  readonly signal: AbortSignal
}

/** Of all hosts together, and of one, so that a host with many dead addresses does not hide the next host. */
const MOST_ADDRESSES = 10
const MOST_ADDRESSES_OF_HOST = 4

/** RFC 5321 §5.1: tries the hosts in order, and of each host its addresses, until one answers with a greeting and meets
 *  the demand. */
export async function openHost(hop: NextHop, wish: TlsWish, options: OpenHostOptions): Promise<OpenHost> {
  let failure: OpenHost & { ok: false } = {
    ok: false,
    report: { reply: 'no MX host has a usable address' },
    cause: 'dns',
  }
  let tries = 0
  let mayBeBetter = false
  for (const mx of tryingOrder(hop.route, options.random)) {
    if (options.isPaused(mx.name)) continue
    const demand = demandOf(hop.policy, wish, mx.name, demandOptions(mx, options))
    if (demand.kind === 'impossible') {
      failure = { ok: false, report: { host: mx.name, reply: demand.detail }, cause: 'tls' }
      mayBeBetter = true
      continue
    }
    const addresses = (await addressesOf(mx, options)).filter(options.mayDial)
    for (const address of addresses.slice(0, MOST_ADDRESSES_OF_HOST)) {
      if (options.signal.aborted || tries++ === MOST_ADDRESSES) return failure
      const opened = await openAddress(mx, address, demand, options)
      // A login that was refused would be refused again, and locks accounts.
      if (opened.ok || opened.cause === 'smarthost') return opened
      // What is final about one host is final where no other may do better another time.
      const isFinal = opened.classified?.permanent === true
      if (!isFinal || !mayBeBetter) failure = opened
      mayBeBetter ||= !isFinal
    }
  }
  return failure
}

async function openAddress(
  mx: MxHost,
  address: string,
  demand: Exclude<TlsDemand, { kind: 'impossible' }>,
  options: OpenHostOptions,
): Promise<OpenHost> {
  const transcript = new Transcript()
  const connect = (tls: ClientTls) => dial(mx, address, tls, transcript, options)
  const seen = { host: mx.name, address }
  const policy = mx.smarthost ? 'smarthost' : demand.kind === 'verified' ? demand.because : demand.kind
  let tlsFailure = demand.kind === 'tested' ? demand.failure : undefined
  let opened = await connect(firstTry(mx, demand, options))
  if (!opened.ok && brokeAtTls(opened) && !mx.smarthost && demand.kind !== 'verified') {
    tlsFailure = opened.detail
    // A policy that is only tested changes nothing (RFC 8461 §5); and refusing would deliver in clear no safer.
    if (demand.kind === 'tested') opened = await connect('opportunistic')
    if (!opened.ok && brokeAtTls(opened)) opened = await connect('none')
  }
  if (!opened.ok) return failed(opened, { ...seen, tlsPolicy: policy }, transcript)
  const requireTls = demand.kind === 'verified' && demand.needsExtension !== undefined
  if (requireTls && !opened.extensions.has('REQUIRETLS')) {
    await opened.quit()
    return noRequireTls({ ...seen, tlsPolicy: policy, dialogue: transcript.take() })
  }
  return {
    ok: true,
    connection: opened,
    ...seen,
    transcript,
    tls: {
      ...(opened.tls && { tls: `${opened.tls.protocol} ${opened.tls.cipher}` }),
      tlsPolicy: policy,
      ...(tlsFailure !== undefined && { tlsFailure }),
    },
    requireTls,
  }
}

function demandOptions(mx: MxHost, { ca }: OpenHostOptions): DemandOptions {
  // No stranger's DNS led to a door of our own.
  return {
    nameKnown: mx.addresses !== undefined || mx.smarthost !== undefined,
    ...(ca !== undefined && { ca }),
  }
}

/** Opportunistic TLS (RFC 3207, RFC 7435): encrypted where offered, unverified; where the handshake fails, in clear. */
function firstTry(
  { smarthost }: MxHost,
  demand: Exclude<TlsDemand, { kind: 'impossible' }>,
  { ca }: OpenHostOptions,
): ClientTls {
  if (smarthost?.tls === 'none') return 'none'
  if (smarthost) return { verify: { checkServerIdentity: checkDnsId, ...(ca !== undefined && { ca }) } }
  return demand.kind === 'opportunistic' ? 'opportunistic' : { verify: demand.verify }
}

function dial(
  { name, port, smarthost }: MxHost,
  address: string,
  tls: ClientTls,
  transcript: Transcript,
  { ehloName, sources = {}, signal, timeouts = {} }: OpenHostOptions,
): Promise<SmtpConnection | ConnectFailure> {
  const localAddress = isIPv6(address) ? sources.ipv6 : sources.ipv4
  return connectSmtp({
    host: name,
    port,
    address,
    ehloName,
    signal,
    timeouts,
    tls,
    ...(localAddress !== undefined && { localAddress }),
    ...(smarthost?.tls === 'implicit' && { implicitTls: true }),
    ...(smarthost?.login && { login: smarthost.login }),
    record: transcript.record,
  })
}

function failed(
  failure: ConnectFailure,
  seen: AttemptReport,
  transcript: Transcript,
): OpenHost & { ok: false } {
  const dialogue = transcript.take()
  const tls = brokeAtTls(failure)
  const report = { ...seen, reply: failure.detail, dialogue, ...(tls && { tlsFailure: failure.detail }) }
  if (failure.kind !== 'refused') return { ok: false, report, cause: tls ? 'tls' : 'host-unreachable' }
  const { code, enhanced, text } = failure.reply
  const said = { ...report, smtpStatus: code, ...(enhanced !== undefined && { enhancedStatus: enhanced }) }
  if (failure.phase === 'auth') return { ok: false, report: said, cause: 'smarthost' }
  // Whatever it says before it has heard of a message, another time may be better.
  return { ok: false, report: said, cause: classifyReply('connect', code, enhanced, text).cause }
}

/** The handshake failed; or the connection broke over STARTTLS, or more came behind its reply than should. */
function brokeAtTls(failure: ConnectFailure): boolean {
  if (failure.kind === 'tls-failed') return true
  return failure.kind === 'lost' && failure.phase === 'starttls' && failure.error.reason !== 'aborted'
}

/** RFC 8689 §4.2.1: without the extension the message goes no further. */
function noRequireTls(seen: AttemptReport): OpenHost & { ok: false } {
  const enhancedStatus = '5.7.30'
  const reply = `${enhancedStatus} REQUIRETLS support required, and ${seen.host} does not offer it`
  const classified: Classified = { permanent: true, cause: 'tls' }
  return { ok: false, report: { ...seen, reply, enhancedStatus }, cause: 'tls', classified }
}
