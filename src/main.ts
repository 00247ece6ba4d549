import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { openBodies } from '#bodies/bodies.ts'
import { ConfigError, readConfig } from '#config/config.ts'
import { banner } from '#development/banner.ts'
import { removeDevJson, writeDevJson } from '#development/dev-json-file.ts'
import { developmentAccount, ensureDevelopment, ZoneUnusable } from '#development/first-start.ts'
import { eventWrite, timelinePage } from '#events/events.ts'
import { openAuthenticator } from '#inbound/authenticate/authenticator.ts'
import { openFeedback } from '#inbound/feedback/feedback.ts'
import { openDnsDoor } from '#ingress/dns/dns-server.ts'
import { openHttpDoor } from '#ingress/http-api/http-door.ts'
import { listenHttp } from '#ingress/http-api/listen-http.ts'
import { noteZones } from '#ingress/http-api/zones.ts'
import { createMxServer } from '#ingress/smtp-mx/mx-server.ts'
import { createSubmissionServer } from '#ingress/smtp-submission/submission-server.ts'
import { type Address, domainOf, localPartOf } from '#model/address.ts'
import { sendingDomainOf, serviceNames } from '#model/service.ts'
import { openCertificateAuthority } from '#net/certificate-authority.ts'
import { CertificateUnusable, openCertificateFiles } from '#net/certificate-files.ts'
import { checkDnsId } from '#net/check-dns-id.ts'
import { listenLoopback, PortUnavailable } from '#net/listen-loopback.ts'
import { mxHosts } from '#net/mx-hosts.ts'
import { addressScope } from '#net/private-address.ts'
import { cacheLookups } from '#net/resolver-cache.ts'
import { openLog } from '#observe/log.ts'
import { openAcceptor } from '#outbound/accept/accept.ts'
import { openForesight } from '#outbound/accept/foresee.ts'
import { sweepIdempotency } from '#outbound/accept/idempotency.ts'
import { signMessage } from '#outbound/compose/sign-message.ts'
import { openDelivery } from '#outbound/deliver/deliver.ts'
import { ALWAYS_OPPORTUNISTIC } from '#outbound/deliver/tls-policy.ts'
import { openNotices } from '#outbound/notices/notices.ts'
import { openVerificationMail } from '#outbound/notices/verification-mail.ts'
import { openOutcome } from '#outbound/outcome/outcome.ts'
import { sweepExpired } from '#outbound/outcome/sweep-expired.ts'
import { openOperatorHands } from '#outbound/queue/operator-hands.ts'
import { openPauses } from '#outbound/queue/pauses.ts'
import { openQueue } from '#outbound/queue/queue.ts'
import { encodeCfblFeedbackId } from '#protocol/cfbl-feedback-id.ts'
import { encodeReturnPath } from '#protocol/return-path.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { auditWrite } from '#registry/accounts/audit.ts'
import { auditLines } from '#registry/accounts/audit-log.ts'
import { OperatorTokenUnusable, openOperatorToken } from '#registry/accounts/operator-token.ts'
import { authorityResolver } from '#registry/domains/authority-resolver.ts'
import type { DomainChange } from '#registry/domains/domain-change.ts'
import { openDomains } from '#registry/domains/domains.ts'
import { installationSmarthost, SmarthostUnusable } from '#registry/domains/installation-smarthost.ts'
import { openMailSetup } from '#registry/domains/mail-setup.ts'
import { LOOPBACK_ADDRESSES, relayMechanisms } from '#registry/domains/service-zone.ts'
import { openSmarthosts } from '#registry/domains/smarthosts.ts'
import { openQuota } from '#registry/quota/quota.ts'
import { openDestinations } from '#registry/routes/destinations.ts'
import { openRules } from '#registry/routes/rules.ts'
import { VERIFICATION_LIFE_MS } from '#registry/routes/verification-token.ts'
import { openSuppressions } from '#registry/suppressions/suppressions.ts'
import { developmentResolver } from '#sandbox/development-resolver.ts'
import { openInbox } from '#sandbox/inbox.ts'
import { inboxApi } from '#sandbox/inbox-api.ts'
import { inboxPage } from '#sandbox/inbox-page.ts'
import { createReceiver } from '#sandbox/receiver.ts'
import { openLateReports } from '#simulator/late-reports.ts'
import { sendReport } from '#simulator/send-report.ts'
import { createSimulator } from '#simulator/simulator.ts'
import { cutShort } from '#smtp/client-timeouts.ts'
import { trySmarthost } from '#smtp/try-smarthost.ts'
import { openIncarnation } from '#store/incarnation.ts'
import { DatabaseTooNew } from '#store/migrate.ts'
import { openStore, StoreUnavailable } from '#store/open-store.ts'
import { DataFolderInUse } from '#store/owner-lock.ts'
import type { Write } from '#store/store.ts'
import { ensureMasterKey, MasterKeyUnusable, readMasterKey } from '#vault/master-key.ts'
import { openVault, SealBroken } from '#vault/vault.ts'

/** The development instance, as a list: what there is, in the order in which it opens; it closes in reverse. */
async function main(): Promise<void> {
  const config = readConfig(process.env, (sentence) => process.stderr.write(`posthorn: ${sentence}\n`))
  const log = openLog(config.LOG_LEVEL)
  const service = serviceNames(config.SERVICE_DOMAIN)
  // Nothing leaves the machine, whatever DNS, a zone hosted here or a customer's settings say.
  const mayDial = (address: string) => addressScope(address) === 'loopback'
  const now = Date.now
  const random = Math.random
  await using opened = new AsyncDisposableStack()

  // What must survive.
  const store = await openStore({ directory: config.DATA, url: config.DATABASE_URL, log })
  opened.defer(() => store.close())
  await removeDevJson(config.DATA)
  const incarnation = await openIncarnation(store)
  opened.defer(() => incarnation.close())
  const bodies = openBodies({ store, directory: config.DATA })
  const accounts = openAccounts({ store, clock: now })
  const keyFile = config.MASTER_KEY_FILE ?? join(config.DATA, 'master.key')
  // Only a first start makes a key: what an earlier one sealed opens with the old key alone.
  const first = config.MASTER_KEY_FILE === undefined && (await developmentAccount(accounts)) === undefined
  const vault = openVault(await (first ? ensureMasterKey(keyFile) : readMasterKey(keyFile)))
  const returnPathKey = { version: 1, key: vault.macKey('return-path', 1) }
  const feedbackKey = { version: 1, key: vault.macKey('cfbl-feedback-id', 1) }

  // Who and what.
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
  const domains = openDomains({
    store,
    vault,
    service,
    addresses: { ...LOOPBACK_ADDRESSES, relays },
    clock: now,
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
  const destinations = openDestinations({ store, clock: now })
  const suppressions = openSuppressions({ store, clock: now })
  const quota = openQuota({ store })
  const [zone = '', ...moreZones] = config.DEV_ZONES
  const development = await ensureDevelopment(config.DATA, [zone, ...moreZones], { accounts, domains })
  const ca = await openCertificateAuthority({
    folder: join(config.DATA, 'ca'),
    serviceDomain: service.domain,
  })

  const { TLS_CERT_FILE: certificate, TLS_KEY_FILE: key } = config
  const files = certificate && key ? await openCertificateFiles({ certificate, key, log }) : undefined
  if (files) opened.defer(() => files.close())

  // What was promised, and what is told of it.
  const longestBackoffMs = Math.max(...config.RETRY_MS) * 1.25
  const pauses = await openPauses({ store, log, now })
  opened.defer(() => pauses.close())
  const queue = await openQueue({
    store,
    bodies,
    log,
    node: incarnation.id,
    now,
    newToken: randomUUID,
    longestBackoffMs,
    pauses,
  })
  const notices = openNotices({
    store,
    bodies,
    queue,
    domains,
    service,
    log,
    expireMs: config.EXPIRE_MS,
  })
  // The sandbox: a real SMTP server that gets the mail for every name that is not ours, and for ours until they route.
  const inbox = openInbox({ store, bodies, limit: config.INBOX_LIMIT })
  opened.defer(() => inbox.close())
  const reports = openLateReports({
    send: (mail) =>
      sendReport(
        { host: service.routes[0], address: '127.0.0.1', port: mx.port, ehloName: service.simulator },
        mail,
      ),
    sign: async (content) => signMessage(content, await domains.ensureServiceKeys(), new Date(now())),
    host: service.simulator,
    complaintsFrom: `complaints@${service.email}`,
    complaintsTo: `fbl@${service.email}`,
    now,
    onError: (error) => log.error({ err: error }, 'simulator: a report could not be sent'),
  })
  const simulator = createSimulator({
    keep: async ({ content, ...envelope }) => void (await inbox.add(content, envelope)),
    reports,
  })

  // What comes back by mail, and the door that it comes through.
  const resolver = cacheLookups(
    developmentResolver({
      answers: (name, type) => domains.authority.answers(name, type),
      sandbox: { host: `sandbox.${service.domain}` },
    }),
    now,
  )
  const authenticator = openAuthenticator({ resolver })
  opened.defer(() => authenticator.close())
  const feedback = openFeedback({
    store,
    log,
    now,
    authenticator,
    notices,
    returnPathKeys: [returnPathKey],
    feedbackKeys: [feedbackKey],
    serviceDomain: service.email,
    isReturnPathDomain: async (name) => {
      const sending = sendingDomainOf(name)
      return (
        name === service.email || (sending !== undefined && (await domains.holder(sending)) !== undefined)
      )
    },
  })
  const mxDoor = createMxServer({
    hostname: service.routes[0],
    certificate: () => files?.context() ?? ca.leaf,
    feedback,
    fallback: createReceiver({ inbox, simulator: { domain: service.simulator, handler: simulator } }),
    log,
    // The sandbox takes whatever was sent, with what we added; and simulated refusals are no errors of the client's.
    limits: {
      messageBytes: 40 * 1_048_576,
      errors: Number.POSITIVE_INFINITY,
      messagesPerConnection: Number.POSITIVE_INFINITY,
    },
  })
  opened.defer(() => mxDoor.close({ graceMs: 1000 }))
  opened.defer(() => reports.close())
  const mx = await listenLoopback((host, port) => mxDoor.listen({ host, port }), {
    door: 'the MX',
    variable: 'POSTHORN_MX_PORT',
    port: config.MX_PORT,
  })

  // Sending.
  const outcome = openOutcome({
    store,
    queue,
    notices,
    log,
    retryMs: config.RETRY_MS,
    bodyRetentionMs: config.BODY_RETENTION_MS,
    now,
    random,
  })
  const ownDoor = { port: mx.port, addresses: ['127.0.0.1'] }
  const sandboxDoor = config.DEV_SINK
    ? { port: config.DEV_SINK.port, addresses: [config.DEV_SINK.host] }
    : ownDoor
  const delivery = openDelivery({
    queue,
    outcome,
    bodies,
    log,
    resolver,
    endpoints: (host) =>
      service.routes.includes(host)
        ? ownDoor
        : host === `sandbox.${service.domain}`
          ? sandboxDoor
          : undefined,
    direct: (domain) => (domain === service.simulator ? { name: service.simulator, ...ownDoor } : undefined),
    ehloName: config.EHLO_NAME ?? service.domain,
    sources: {
      ...(config.SOURCE_IPV4 !== undefined && { ipv4: config.SOURCE_IPV4 }),
      ...(config.SOURCE_IPV6 !== undefined && { ipv6: config.SOURCE_IPV6 }),
    },
    privateDestinations: config.PRIVATE_DESTINATIONS === 'deliver',
    returnPathTag: (id) => encodeReturnPath(id, returnPathKey),
    now,
    random,
    // A zone hosted here may name a policy host anywhere: what it says would lead off this machine.
    policies: ALWAYS_OPPORTUNISTIC,
    // Mail of our own is of no domain, and no smarthost of a customer's gets to see it: a verification mail there
    // would prove what it asks.
    smarthostFor: async (accountId, domainId) =>
      domainId === null ? smarthosts.installation : smarthosts.smarthostFor(accountId, domainId),
    mayDial,
    isPaused: (host) => pauses.host(host),
    isDomainPaused: (domain) => pauses.domain(domain),
    nodes: incarnation.nodes,
    limits: {
      connections: config.CONNECTIONS_PER_DESTINATION,
      messagesPerConnection: config.MESSAGES_PER_CONNECTION,
      messagesPerSecond: Number.POSITIVE_INFINITY,
    },
    ...(config.DESTINATION_LIMITS && { providerLimits: config.DESTINATION_LIMITS }),
    ca: ca.certificate,
    idleMs: 5000,
    timeouts: cutShort(config.SMTP_TIMEOUT_MS),
  })
  opened.defer(() => delivery.stop(5000))
  opened.defer(() => queue.stop())
  queue.attach(delivery)
  const alwaysSuppressed = (address: Address) =>
    domainOf(address) === service.simulator && /^suppressed(\+|$)/i.test(localPartOf(address))
  const acceptor = openAcceptor({
    store,
    queue,
    domains,
    destinations,
    suppressions,
    quota,
    host: service.domain,
    expireMs: config.EXPIRE_MS,
    feedbackTag: (id) => encodeCfblFeedbackId(id, feedbackKey),
    alwaysSuppressed,
    now,
  })
  opened.use(repeat(5000, () => sweepExpired(store, config.BODY_RETENTION_MS, notices, log)))
  opened.use(repeat(60_000, () => bodies.sweep(now())))
  opened.use(repeat(60_000, () => store.commit([sweepIdempotency()])))
  opened.use(repeat(60_000, () => suppressions.sweep()))
  opened.use(repeat(60_000, () => domains.zoneControl.checkPending(noteZones('system', domains))))
  opened.use(repeat(60_000, () => mailSetup.runDue()))

  // The doors.
  const dns = await openDnsDoor({ port: config.DNS_PORT, authority: domains.authority, log })
  opened.defer(() => dns.close())
  const submission = createSubmissionServer({
    hostname: service.submission,
    certificate: () => files?.context() ?? ca.leaf,
    accounts,
    domains,
    acceptor,
    log,
    connections: config.SUBMISSION_CONNECTIONS,
    connectionsPerAddress: config.SUBMISSION_CONNECTIONS_PER_ADDRESS,
    connectionsPerAccount: config.SUBMISSION_CONNECTIONS_PER_ACCOUNT,
    now,
  })
  const submitted = await listenLoopback((host, port) => submission.listen({ host, port }), {
    door: 'SMTP submission',
    variable: 'POSTHORN_SUBMISSION_PORT',
    port: config.SUBMISSION_PORT,
  })
  opened.defer(() => submission.close({ graceMs: 5000 }))
  const hands = openOperatorHands({
    store,
    queue,
    pauses,
    eventWrite,
    settleEnded: (ended, set) => notices.settle({ ...ended, end: 'expired' }, set),
    bodyRetentionMs: config.BODY_RETENTION_MS,
    log,
    now,
  })
  const operatorTokenFile = config.OPERATOR_TOKEN_FILE ?? join(config.DATA, 'operator-token')
  const app = openHttpDoor({
    accounts,
    accountOfZone: (zoneId) => domains.accountOfZone(zoneId),
    auditLines: (accountId, filter, page) => auditLines(store, accountId, filter, page),
    acceptor,
    log,
    allowedHosts: config.ALLOWED_HOSTS,
    sendWaitMs: config.SEND_WAIT_MS,
    suppressions,
    suppressionCursorKey: vault.macKey('suppression-cursor'),
    domains,
    mailSetup,
    quota,
    smarthost: {
      smarthosts,
      trySmarthost: (host) => {
        const verify = { checkServerIdentity: checkDnsId, ca: ca.certificate }
        return trySmarthost(host, { resolver, ehloName: service.domain, verify, mayDial, now })
      },
    },
    routing: {
      rules: openRules({ store, clock: now }),
      destinations,
      verificationMail: openVerificationMail({
        bodies,
        queue,
        domains,
        service,
        linkMs: VERIFICATION_LIFE_MS,
        expireMs: config.EXPIRE_MS,
      }),
      verificationKey: vault.macKey('destination-verification'),
      publicUrl: () => `http://localhost:${http.port}`,
    },
    foresee: openForesight({ domains, destinations, suppressions, quota, alwaysSuppressed, now }),
    queue: {
      hands,
      readTimeline: (page) => timelinePage(store, page),
      readBody: (id) => bodies.read(id),
      operatorToken: await openOperatorToken(operatorTokenFile, config.OPERATOR_TOKEN_FILE !== undefined),
      hostsOf: (domain) => mxHosts(resolver, domain),
    },
    now,
  })
  const onError = (error: unknown) => log.error({ err: error }, 'inbox: a request failed inside')
  await app.register(inboxApi(inbox, { version: '0.1.0', onError }), { prefix: '/api/v1' })
  await app.register(inboxPage(inbox))
  const http = await listenHttp(app, { variable: 'POSTHORN_HTTP_PORT', port: config.HTTP_PORT })
  opened.defer(() => http.close())
  opened.defer(() => queue.verdicts.release())

  const base = `http://localhost:${http.port}`
  const dev = {
    pid: process.pid,
    api: `${base}/client/v4`,
    dashboard: base,
    inbox: `${base}/api/v1`,
    account_id: development.accountId,
    zone_id: development.zoneId,
    zone,
    api_token: development.apiToken,
    submission: { host: 'localhost', port: submitted.port, username: 'api_token' },
    mx: { host: '127.0.0.1', port: mx.port },
    dns: { host: '127.0.0.1', port: dns.port },
    ca: ca.certificatePath,
  }
  await writeDevJson(config.DATA, dev)
  opened.defer(() => removeDevJson(config.DATA))
  process.stdout.write(banner(dev, { data: config.DATA }))
  await asked()

  function repeat(ms: number, task: () => Promise<unknown>): Disposable {
    let busy = false
    const timer = setInterval(() => {
      if (busy) return
      busy = true
      task()
        .catch((error: unknown) => log.error({ err: error }, 'a periodic task failed, it runs again'))
        .finally(() => {
          busy = false
        })
    }, ms)
    return { [Symbol.dispose]: () => clearInterval(timer) }
  }
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

/** Until somebody asks us to end: a signal, or the end of the launcher that started us. A Ctrl-C reaches the whole
 *  process group, and the launcher passes it on as well: every further signal is the same wish. */
function asked(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
    process.once('disconnect', () => resolve())
  })
}

/** What the person who starts the service can mend: told in a sentence, without a stack. */
const EXPECTED = [
  ConfigError,
  SmarthostUnusable,
  CertificateUnusable,
  PortUnavailable,
  DataFolderInUse,
  DatabaseTooNew,
  StoreUnavailable,
  MasterKeyUnusable,
  OperatorTokenUnusable,
  SealBroken,
  ZoneUnusable,
]

try {
  await main()
  process.exit(0)
} catch (error) {
  const expected = EXPECTED.some((kind) => error instanceof kind)
  process.stderr.write(
    `posthorn: ${error instanceof Error ? (expected ? error.message : error.stack) : String(error)}\n`,
  )
  process.exit(expected ? 78 : 70)
}
