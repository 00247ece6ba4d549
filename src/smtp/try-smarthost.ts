import { isIP } from 'node:net'
import type { Smarthost, SmarthostTrial } from '#model/smarthost.ts'
import { isPublicAddress } from '#net/private-address.ts'
import type { Resolver } from '#net/resolver.ts'
import { type ConnectFailure, type ConnectOptions, connectSmtp, type VerifyOptions } from './client.ts'
import { cutShort } from './client-timeouts.ts'
import type { SmtpConnection } from './smtp-connection.ts'

export interface TryOptions {
  readonly resolver: Pick<Resolver, 'addresses'>
  readonly ehloName: string
  /** What the certificate is checked against, where TLS is. */
  readonly verify: VerifyOptions
  /** False keeps us from an address altogether. */
  readonly mayDial: (address: string) => boolean
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Of the whole. */
  readonly withinMs?: number
}

const WITHIN_MS = 30_000
const MOST_ADDRESSES = 3
const MOST_LINES = 150
const MOST_LINE_LENGTH = 500

/** Connects to a smarthost as delivery would, logs in where there is a login, and says QUIT. It never rejects for what
 *  the host or DNS do. One that is not trusted is looked for at public addresses alone, and the address that was
 *  checked is the one that is connected to. */
export async function trySmarthost(smarthost: Smarthost, options: TryOptions): Promise<SmarthostTrial> {
  const { withinMs = WITHIN_MS, now } = options
  const started = now()
  const dialogue: string[] = []
  const record = (line: string): void => {
    if (dialogue.length < MOST_LINES) dialogue.push(line.slice(0, MOST_LINE_LENGTH))
  }
  const told = (what: Pick<SmarthostTrial, 'outcome' | 'detail' | 'address' | 'tls'>): SmarthostTrial => ({
    ...what,
    dialogue,
    durationMs: now() - started,
  })
  const signal = AbortSignal.timeout(withinMs)
  const found = await findAddresses(smarthost, options)
  if (typeof found === 'string') return told({ outcome: 'no-address', detail: found })

  let last = told({ outcome: 'unreachable', detail: notWithin(withinMs) })
  for (const address of found.slice(0, MOST_ADDRESSES)) {
    const opened = await connectSmtp({ ...connection(smarthost, options), address, signal, record })
    if (opened.ok) return told({ ...(await greeted(opened)), address })
    const detail = signal.aborted ? notWithin(withinMs) : opened.detail
    last = told({ outcome: outcomeOf(opened), detail, address })
    // The next address is for a host that does not answer, not for one that says no.
    if (opened.phase !== 'connect' || signal.aborted) break
  }
  return last
}

/** The addresses we may go to, or a sentence on why there is none. */
async function findAddresses(
  { host, trusted }: Smarthost,
  { resolver, mayDial }: TryOptions,
): Promise<readonly string[] | string> {
  const answer = isIP(host)
    ? ({ kind: 'found', records: [{ address: host }] } as const)
    : await resolver.addresses(host)
  if (answer.kind === 'temporary-failure') return `DNS gave no answer for ${host}: ${answer.detail}`
  if (answer.kind !== 'found') return `${host} has no address in DNS`
  const addresses = answer.records.map(({ address }) => address)
  const open = addresses.filter((address) => mayDial(address) && (trusted || isPublicAddress(address)))
  if (open.length > 0) return open
  return `${host} has no ${trusted ? 'address that this installation connects to' : 'public address'}`
}

function connection(
  { host, port, tls, login }: Smarthost,
  { ehloName, verify }: TryOptions,
): Omit<ConnectOptions, 'address'> {
  return {
    host,
    port,
    ehloName,
    tls: tls === 'none' ? 'none' : { verify },
    implicitTls: tls === 'implicit',
    timeouts: cutShort(10_000),
    ...(login && { login }),
  }
}

async function greeted(opened: SmtpConnection): Promise<Pick<SmarthostTrial, 'outcome' | 'detail' | 'tls'>> {
  const { tls } = opened
  await opened.quit()
  const how = tls ? `over ${tls.protocol}` : 'in clear'
  return {
    outcome: 'ready',
    detail: `It greeted us ${how} and would take mail`,
    ...(tls && { tls: `${tls.protocol} ${tls.cipher}` }),
  }
}

function outcomeOf(failure: ConnectFailure): SmarthostTrial['outcome'] {
  if (failure.kind === 'tls-failed') return 'tls-failed'
  if (failure.kind === 'lost') return 'unreachable'
  return failure.phase === 'auth' ? 'login-refused' : 'refused'
}

function notWithin(ms: number): string {
  return `It was not over within ${ms / 1000} seconds`
}
