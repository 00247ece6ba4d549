import {
  issueAuthority,
  issueLeaf,
  nameConstraints,
  subjectAlternativeNames,
} from '#net/certificate-issue.ts'

/** A certificate authority of one test file, in memory: it vouches for every name under `example`. */
export interface TestAuthority {
  /** PEM, for clients that shall trust it. */
  readonly certificate: string
  /** A server's certificate for these names, valid for the day that began an hour before `at`; PEM. */
  issue(names: readonly string[], at?: number): Promise<{ readonly cert: string; readonly key: string }>
}

const DAY_MS = 24 * 60 * 60 * 1000

export async function openTestAuthority(): Promise<TestAuthority> {
  const constraints = nameConstraints(['example'])
  const authority = await issueAuthority({ constraints, now: Date.now(), validMs: DAY_MS })
  return {
    certificate: authority.certificate.toString(),
    async issue(names, at = Date.now()) {
      const options = { now: at, validMs: DAY_MS, names: subjectAlternativeNames(names) }
      const { certificate, key } = await issueLeaf(authority, options)
      return { cert: certificate.toString(), key: key.export({ type: 'pkcs8', format: 'pem' }) }
    },
  }
}
