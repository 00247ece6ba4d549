import type { Fetched } from '#net/guarded-fetch.ts'
import { readStsPolicy, type StsPolicy, writeStsPolicy } from '#protocol/mta-sts.ts'
import { type About, lacking, ready, type ServiceItem } from './service-item.ts'

/** Whether senders get the service's policy, and not another. */
export function judgeServicePolicy(about: About, fetched: Fetched, wanted: StsPolicy): ServiceItem {
  const wrong = (what: string) =>
    lacking(about, 'wrong', `${what}, so no sender takes the policy from ${about.name}.`)
  if (fetched.kind === 'refused') return wrong(`Give its host a public address: ${fetched.detail}`)
  if (fetched.kind === 'failed') {
    if (fetched.reason === 'tls')
      return wrong(
        `Put a certificate for its host into POSTHORN_POLICY_CERTS: TLS failed (${fetched.detail})`,
      )
    const advice = `Let ${about.name} be reached from outside, port 443 leading to POSTHORN_POLICY_PORT: ${fetched.reason}, ${fetched.detail}.`
    return lacking(about, 'missing', advice)
  }
  const { status, contentType = 'no type', body } = fetched
  if (status !== 200) return wrong(`Let this service answer there: another server answers ${status}`)
  // RFC 8461 §3.2.
  if (!/^text\/plain *(;|$)/i.test(contentType))
    return wrong(`Let it be served as text/plain: it comes as ${contentType.slice(0, 100)}`)
  const policy = readStsPolicy(body)
  if ('fault' in policy)
    return wrong(`Let this service answer there: what is served is no policy (${policy.fault})`)
  if (writeStsPolicy(policy) !== writeStsPolicy(wanted))
    return wrong('Let this service answer there: what is served is another policy')
  return ready(about, about.expected)
}
