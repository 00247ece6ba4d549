import type { DKIMVerifyResult } from 'mailauth'
import { dmarc } from 'mailauth/lib/dmarc/index.js'
import type { DkimVerdict, DmarcVerdict, SpfVerdict } from './authentication.ts'
import type { DnsFunction } from './dns-question.ts'

/** The author as mailauth reads it. */
export type Author = Pick<DKIMVerifyResult, 'fromFields' | 'headerFrom'>

const NOBODY: DmarcVerdict = {
  result: 'permerror',
  policy: 'none',
  domain: undefined,
  aligned: { spf: false, dkim: false },
}

/** DMARC by RFC 9989: the record is found, and the organizational domains are compared, by a walk up the DNS tree, not by
 *  a public suffix list as in RFC 7489; `pct` is gone, `np`, `psd` and `t` are there; a record without a usable `p` is
 *  'none' with a reporting address and no record without. `author` is undefined where the header tells nobody for sure. */
export async function judgeDmarc(
  author: Author | undefined,
  { spf, dkim }: { readonly spf: SpfVerdict; readonly dkim: readonly DkimVerdict[] },
  dns: DnsFunction,
): Promise<DmarcVerdict> {
  if (!author) return NOBODY
  const judge = (counts: (result: string) => boolean) =>
    dmarc({
      headerFrom: author.headerFrom,
      fromFields: author.fromFields,
      spfDomains: counts(spf.result) ? [spf.domain] : [],
      // A signature that leaves the end of the body open says nothing of what stands there (RFC 6376 §8.2).
      dkimDomains: dkim
        .filter(({ result, coversBody }) => counts(result) && coversBody)
        .map(({ domain }) => ({ domain })),
      resolver: dns,
      strict: true,
    })
  const judged = await judge((result) => result === 'pass')
  if (judged === false) return NOBODY
  const { status, policy, policyDomain, alignment } = judged
  const verdict: DmarcVerdict = {
    result: RESULTS.find((result) => result === status.result) ?? 'none',
    policy: POLICIES.find((known) => known === policy) ?? 'none',
    domain: policyDomain,
    // There is none where no record was found, whatever the types of mailauth say.
    aligned: {
      spf: alignment?.spf.result !== undefined,
      dkim: alignment?.dkim.result !== undefined,
    },
  }
  if (verdict.result !== 'fail' || !isUndecided(spf, dkim)) return verdict
  const hoped = await judge((result) => result === 'pass' || result === 'temperror')
  return hoped !== false && hoped.status.result === 'fail' ? verdict : { ...verdict, result: 'temperror' }
}

const RESULTS = ['pass', 'fail', 'none', 'temperror'] as const
const POLICIES = ['none', 'quarantine', 'reject'] as const

function isUndecided(spf: SpfVerdict, dkim: readonly DkimVerdict[]): boolean {
  return spf.result === 'temperror' || dkim.some(({ result }) => result === 'temperror')
}
