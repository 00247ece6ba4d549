import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { ensureDevelopment } from '#development/first-start.ts'
import { eventWrite } from '#events/events.ts'
import { readTimeline } from '#events/read-timeline.ts'
import { openCertificateAuthority } from '#net/certificate-authority.ts'
import { openCertificateFiles } from '#net/certificate-files.ts'
import { cacheLookups } from '#net/resolver-cache.ts'
import { auditWrite } from '#registry/accounts/audit.ts'
import { authorityResolver } from '#registry/domains/authority-resolver.ts'
import type { DomainChange } from '#registry/domains/domain-change.ts'
import { openDomains } from '#registry/domains/domains.ts'
import { installationSmarthost } from '#registry/domains/installation-smarthost.ts'
import { openMailSetup } from '#registry/domains/mail-setup.ts'
import { LOOPBACK_ADDRESSES, relayMechanisms } from '#registry/domains/service-zone.ts'
import { openSmarthosts } from '#registry/domains/smarthosts.ts'
import { openQuota, type QuotaRule } from '#registry/quota/quota.ts'
import { openRates } from '#registry/quota/rates.ts'
import { openReputation, type Reputation } from '#registry/reputation/reputation.ts'
import { takenBy } from '#registry/reputation/taken-by.ts'
import { openDestinations } from '#registry/routes/destinations.ts'
import { openRules } from '#registry/routes/rules.ts'
import { openWorkerRules } from '#registry/routes/worker-rules.ts'
import { openSuppressions } from '#registry/suppressions/suppressions.ts'
import { openWorkers } from '#registry/workers/workers.ts'
import { developmentResolver } from '#sandbox/development-resolver.ts'
import type { Write } from '#store/store.ts'
import type { Kept } from './kept.ts'
import { openRunningWorkers } from './running-workers.ts'

/** Who and what: everything that customers configure, and what the names of the world lead to. */
export async function openRegistries(kept: Kept, opened: AsyncDisposableStack) {
  const { config, log, store, history, vault, service, accounts, incarnation, now } = kept
  const relay =
    config.SMARTHOST && (await installationSmarthost(config.SMARTHOST, config.SMARTHOST_PASSWORD_FILE))
  const relays = config.SMARTHOST_SPF ?? (relay ? relayMechanisms(relay.host) : [])
  const smarthosts = openSmarthosts({
    store,
    vault,
    service,
    clock: now,
    ...(relay && { installation: relay }),
  })
  const addresses = { ...LOOPBACK_ADDRESSES, relays, policies: true, workers: true }
  const domains = openDomains({ store, vault, service, addresses, clock: now })
  const lookups = developmentResolver({
    answers: (name, type) => domains.authority.answers(name, type),
    sandbox: { host: sandboxHost(service.domain) },
  })
  const mailSetup = openMailSetup({
    store,
    vault,
    service,
    clock: now,
    domains,
    // What strangers would see of the zones hosted here. Of others, nothing: nobody outside is asked.
    resolver: authorityResolver(domains.authority, { kind: 'no-such-name' }),
    activeAtOnce: true,
    rotateAfterMs: config.DKIM_ROTATE_MS,
    recordBySystem: (change) => [auditWrite({ ...change, actor: 'system' }), ...domainEvents(change)],
  })
  const [zone = '', ...moreZones] = config.DEV_ZONES
  const development = await ensureDevelopment(config.DATA, [zone, ...moreZones], { accounts, domains })
  const ca = await openCertificateAuthority({
    folder: join(config.DATA, 'ca'),
    serviceDomain: service.domain,
  })
  const reputation = openReputation({
    ...{ store, now, simulator: service.simulator, windowDays: config.REPUTATION_DAYS },
    thresholds: {
      delivery: config.DELIVERY_RATE_LEAST,
      hardBounce: config.HARD_BOUNCE_RATE_MOST,
      complaint: config.COMPLAINT_RATE_MOST,
    },
    takenBy: (of) => takenBy((page) => readTimeline({ store, history }, page), of),
  })
  const rule = quotaRule(kept, reputation)
  const { TLS_CERT_FILE: certificate, TLS_KEY_FILE: key } = config
  const files = certificate && key ? await openCertificateFiles({ certificate, key, log }) : undefined
  if (files) opened.defer(() => files.close())

  const runningWorkers = openRunningWorkers(({ tryOut }) =>
    openWorkers({ ...{ store, vault, clock: now, tryOut }, host: config.WORKERS_HOST }),
  )
  await runningWorkers.workers.sweep()

  return {
    smarthosts,
    domains,
    mailSetup,
    destinations: openDestinations({ store, clock: now }),
    rules: openRules({ store, clock: now }),
    ...runningWorkers,
    workerRules: openWorkerRules({ store, clock: now }),
    suppressions: openSuppressions({ store, clock: now }),
    quota: openQuota({ store, ...(rule && { rule }) }),
    reputation,
    rates: openRates({
      limits: {
        ...(config.RATE_PER_ACCOUNT && { account: config.RATE_PER_ACCOUNT }),
        ...(config.RATE_PER_DOMAIN && { domain: config.RATE_PER_DOMAIN }),
        ...(config.RATE_PER_RECIPIENT && { recipient: config.RATE_PER_RECIPIENT }),
      },
      nodes: incarnation.nodes,
      clock: () => performance.now(),
    }),
    development: { ...development, zone },
    ca,
    certificate: () => files?.context() ?? ca.leaf,
    certificateExpiry: () => files?.expiresAt() ?? new X509Certificate(ca.leaf.cert).validToDate.getTime(),
    /** What the service's own names lead to. */
    addresses,
    /** DNS without a memory, and with one. */
    lookups,
    resolver: cacheLookups(lookups, now),
  }
}

export type Registries = Awaited<ReturnType<typeof openRegistries>>

function quotaRule({ config }: Kept, mail: Reputation): QuotaRule | undefined {
  const { DAILY_QUOTA_START: start } = config
  if (start === undefined) return undefined
  return {
    ...{ start, growth: config.DAILY_QUOTA_GROWTH, ceiling: config.DAILY_QUOTA_CEILING },
    ...{ shrink: config.DAILY_QUOTA_SHRINK, floor: config.DAILY_QUOTA_FLOOR },
    most: { hardBounces: config.HARD_BOUNCE_RATE_MOST, complaints: config.COMPLAINT_RATE_MOST },
    windowDays: config.REPUTATION_DAYS,
    async reputation(accountId, since, until) {
      const {
        settled,
        hardBounced: hardBounces,
        complained: complaints,
      } = await mail.between(accountId, since, until)
      return { settled, hardBounces, complaints }
    },
  }
}

/** The MX of every name that is not ours. */
export function sandboxHost(serviceDomain: string): string {
  return `sandbox.${serviceDomain}`
}

/** A change to a domain that is an event too: drift in DNS, and its end. */
function domainEvents({ action, accountId, domainId, resource, after, at }: DomainChange): Write[] {
  const type =
    action === 'dns.drifted' ? 'dns-drifted' : action === 'dns.restored' ? 'dns-restored' : undefined
  if (!type) return []
  const service = resource.type === 'routing' ? 'routing' : 'sending'
  const { name: domain = '', problems = [] } = after ?? {}
  const none = { messageId: null, deliveryId: null, terminal: false } as const
  return [
    eventWrite({
      type,
      at,
      accountId,
      domainId: domainId ?? null,
      ...none,
      detail: { domain, service, problems },
    }),
  ]
}
