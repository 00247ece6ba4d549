import { spf } from 'mailauth/lib/spf/index.js'
import type { SenderSession, SpfVerdict } from './authentication.ts'
import type { DnsFunction } from './dns-question.ts'

const RESULTS = ['pass', 'fail', 'softfail', 'neutral', 'none', 'temperror', 'permerror'] as const

/** SPF (RFC 7208) of one session. `aligned` is still false: of the author nothing is known yet. */
export async function checkSpf(
  { remoteAddress, helo, mailFrom }: SenderSession,
  dns: DnsFunction,
): Promise<SpfVerdict> {
  const { domain, status } = await spf({
    resolver: dns,
    strict: true,
    sender: mailFrom,
    ip: remoteAddress,
    helo: helo ?? '',
    // What an explanation could name us by, which nobody is shown.
    mta: 'localhost',
  })
  return {
    result: RESULTS.find((result) => result === status.result) ?? 'permerror',
    domain,
    identity: mailFrom === '' ? 'helo' : 'mailfrom',
    aligned: false,
  }
}

/** The same verdict beside an author. */
export function besideAuthor(verdict: SpfVerdict, from: string | undefined): SpfVerdict {
  return { ...verdict, aligned: from !== undefined && isKin(verdict.domain.toLowerCase(), from) }
}

function isKin(one: string, other: string): boolean {
  return one === other || one.endsWith(`.${other}`) || other.endsWith(`.${one}`)
}
