import { createSecureContext, rootCertificates } from 'node:tls'
import { openPolicyCertificates } from '#ingress/https-policy/policy-certificates.ts'
import { openPolicyDoor } from '#ingress/https-policy/policy-door.ts'
import { type GuardedFetch, openGuardedFetch } from '#net/guarded-fetch.ts'
import { checkService } from '#registry/domains/service-check.ts'
import type { Kept } from './kept.ts'
import { policyStatus } from './metered.ts'
import type { Registries } from './registries.ts'
import { repeat } from './repeat.ts'
import { openServiceWatch } from './service-watch.ts'

const HOUR_MS = 3_600_000

/** The door of MTA-STS policies, and who looks whether the service's own names say what they should, this policy
 *  included. */
export async function openPolicies(kept: Kept, registries: Registries, opened: AsyncDisposableStack) {
  const { config, log, metrics, store, service, now } = kept
  const { domains, addresses, ca, lookups, certificate } = registries
  const own = createSecureContext({ ...ca.leaf, minVersion: 'TLSv1.2' })
  const certificates = openPolicyCertificates({
    folder: config.POLICY_CERTS,
    fallback: () => {
      const shown = certificate()
      return 'context' in shown ? shown : own
    },
    isOurs: async (host) => (await domains.policyAt(host)) !== undefined,
    log,
  })
  opened.defer(() => certificates.close())
  const door = await openPolicyDoor({
    port: config.POLICY_PORT,
    policyAt: (host) => domains.policyAt(host),
    context: (host) => certificates.context(host),
    onAnswer: (status) => metrics.policyAnswers({ status: policyStatus(status) }),
    log,
  })
  opened.defer(() => door.close())

  const guarded = openGuardedFetch({
    resolver: lookups,
    allow: (host) => host === service.mtaStsPolicy,
    ca: [ca.certificate, ...rootCertificates],
  })
  const stop = new AbortController()
  opened.defer(() => stop.abort())
  // What is at port 443 for strangers is here at a port of its own.
  const fetch: GuardedFetch = (url, request) => {
    const there = new URL(url)
    there.port = String(door.port)
    return guarded(there.href, { ...request, signal: stop.signal })
  }
  const watch = openServiceWatch({
    log,
    check: () =>
      checkService({
        store,
        service,
        addresses,
        helo: config.EHLO_NAME ?? service.domain,
        resolver: { ...lookups, ptr: async () => ({ kind: 'no-such-name' }) },
        fetch,
        clock: now,
      }),
  })
  return {
    door,
    watch,
    /** To be called once every door is open. */
    begin() {
      opened.use(repeat(HOUR_MS, watch.look, log))
      watch.look().catch((error: unknown) => {
        if (!stop.signal.aborted) log.error({ err: error }, 'service domain: the look failed')
      })
    },
  }
}

export type Policies = Awaited<ReturnType<typeof openPolicies>>
