import { join } from 'node:path'
import { openGraphql } from '#analytics/graphql/graphql.ts'
import { eventWrite } from '#events/events.ts'
import { readTimeline } from '#events/read-timeline.ts'
import { openDnsDoor } from '#ingress/dns/dns-server.ts'
import { openHttpDoor } from '#ingress/http-api/http-door.ts'
import { listenHttp } from '#ingress/http-api/listen-http.ts'
import { probeRoutes } from '#ingress/http-api/probes.ts'
import { openTailSockets } from '#ingress/http-api/tail-sockets.ts'
import { createSubmissionServer } from '#ingress/smtp-submission/submission-server.ts'
import { openTryMessage } from '#ingress/workers/try-message.ts'
import { checkDnsId } from '#net/check-dns-id.ts'
import { listenLoopback } from '#net/listen-loopback.ts'
import { mxHosts } from '#net/mx-hosts.ts'
import { openForesight } from '#outbound/accept/foresee.ts'
import { openVerificationMail } from '#outbound/notices/verification-mail.ts'
import { openOperatorHands } from '#outbound/queue/operator-hands.ts'
import { auditLines } from '#registry/accounts/audit-log.ts'
import { openOperatorToken } from '#registry/accounts/operator-token.ts'
import { VERIFICATION_LIFE_MS } from '#registry/routes/verification-token.ts'
import { inboxApi } from '#sandbox/inbox-api.ts'
import { trySmarthost } from '#smtp/try-smarthost.ts'
import { openDashboard } from './dashboard.ts'
import { openGauges } from './gauges.ts'
import type { Kept } from './kept.ts'
import type { Notifying } from './notifying.ts'
import type { Policies } from './policies.ts'
import type { Promised } from './promised.ts'
import { openReadiness } from './readiness.ts'
import type { Receiving } from './receiving.ts'
import type { Registries } from './registries.ts'
import type { Sending } from './sending.ts'
import type { WorkersAtWork } from './workers.ts'
import type { WorkersDevelopment } from './workers-development.ts'
import { openWorkersHttp } from './workers-http.ts'
import type { WorkersStorage } from './workers-storage.ts'

/** The doors that customers come through: DNS, SMTP submission, HTTP, and their Workers' HTTP. */
export async function openDoors(
  world: {
    kept: Kept
    registries: Registries
    promised: Promised
    receiving: Receiving
    sending: Sending
    policies: Policies
    workersStorage: WorkersStorage
    notify: Notifying
    workersAtWork: WorkersAtWork
    workersDevelopment: WorkersDevelopment
  },
  opened: AsyncDisposableStack,
) {
  const { kept, registries } = world
  const { config, log, accounts } = kept
  const { domains, certificate } = registries
  const dns = await openDnsDoor({
    ...{ port: config.DNS_PORT, authority: domains.authority, log },
    onAnswer: (transport, answer) => kept.metrics.dnsAnswers({ transport, answer }),
  })
  opened.defer(() => dns.close())
  const server = createSubmissionServer({
    hostname: kept.service.submission,
    certificate,
    accounts,
    domains,
    acceptor: world.sending.acceptor,
    log,
    connections: config.SUBMISSION_CONNECTIONS,
    connectionsPerAddress: config.SUBMISSION_CONNECTIONS_PER_ADDRESS,
    connectionsPerAccount: config.SUBMISSION_CONNECTIONS_PER_ACCOUNT,
    now: kept.now,
  })
  const submission = await listenLoopback((host, port) => server.listen({ host, port }), {
    door: 'SMTP submission',
    variable: 'POSTHORN_SUBMISSION_PORT',
    port: config.SUBMISSION_PORT,
  })
  opened.defer(() => server.close({ graceMs: 5000 }))
  kept.metrics.connections(() => [{ labels: { door: 'submission' }, value: server.connections }])
  openGauges(kept, registries, world.notify)
  const workers = await openWorkersHttp(world)
  opened.defer(() => workers.close())
  const readiness = openReadiness({
    ...{ store: kept.store, write: kept.incarnation.beat, now: kept.now },
    doors: { submission: submission.port, mx: world.receiving.mx.port },
  })
  const http = await openHttp(world, {
    ports: { workers: workers.port, submission: submission.port, dns: dns.port },
    ...{ readiness, opened },
  })
  opened.defer(() => http.close())
  kept.metrics.connections(() => [{ labels: { door: 'http' }, value: http.connections() }])
  opened.defer(() => world.promised.queue.verdicts.release())
  return { dns, submission, http, workers }
}

async function openHttp(
  {
    kept,
    registries,
    promised: { queue, pauses, notices },
    receiving: { inbox, mx },
    sending: { acceptor, alwaysSuppressed },
    policies: { watch },
    workersStorage,
    notify,
    workersAtWork: { tails, runtime },
  }: Parameters<typeof openDoors>[0],
  {
    ports,
    readiness,
    opened,
  }: {
    ports: { workers: number; submission: number; dns: number }
    readiness: ReturnType<typeof openReadiness>
    opened: AsyncDisposableStack
  },
) {
  const { config, log, metrics, store, history, bodies, accounts, vault, service, mayDial, now } = kept
  const { domains, mailSetup, smarthosts, destinations, rules, suppressions, quota, resolver, ca } =
    registries
  const { workers, workerRules } = registries
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
  const operatorToken = await openOperatorToken(operatorTokenFile, config.OPERATOR_TOKEN_FILE !== undefined)
  const allowedHosts = [
    ...config.ALLOWED_HOSTS,
    ...(config.PUBLIC_URL === undefined ? [] : [new URL(config.PUBLIC_URL).hostname]),
  ]
  const publicUrl = () => config.PUBLIC_URL ?? `http://localhost:${http.port}`
  const app = openHttpDoor({
    accounts,
    accountOfZone: (zoneId) => domains.accountOfZone(zoneId),
    auditLines: (accountId, filter, page) => auditLines(store, accountId, filter, page),
    acceptor,
    log,
    allowedHosts,
    sendWaitMs: config.SEND_WAIT_MS,
    suppressions,
    suppressionCursorKey: vault.macKey('suppression-cursor'),
    domains,
    mailSetup,
    quota,
    reputation: registries.reputation,
    history,
    graphql: openGraphql({ history, days: config.HISTORY_DAYS, now }),
    notify,
    smarthost: {
      smarthosts,
      trySmarthost: (host) => {
        const verify = { checkServerIdentity: checkDnsId, ca: ca.certificate }
        return trySmarthost(host, { resolver, ehloName: service.domain, verify, mayDial, now })
      },
    },
    routing: {
      rules,
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
      publicUrl,
    },
    serviceDomain: { name: service.domain, ...watch },
    scripts: {
      ...{ workers, workerRules, tails },
      workerUrl: (host) => `http://${host}:${ports.workers}`,
      tryMessage: openTryMessage({
        ...{ workers, runtime, now },
        keep: (content, envelope) => inbox.add(content, envelope),
      }),
    },
    workersStorage,
    foresee: openForesight({ domains, destinations, suppressions, quota, alwaysSuppressed, now }),
    queue: {
      hands,
      readTimeline: (page) => readTimeline({ store, history }, page),
      readBody: (id) => bodies.read(id),
      openBody: (id) => bodies.stream(id),
      operatorToken,
      hostsOf: (domain) => mxHosts(resolver, domain),
    },
    ...openDashboard({ kept, registries, queue, publicUrl, ports: { ...ports, mx: mx.port } }, opened),
    now,
  })
  probeRoutes(app, { accounts, operatorToken, metrics, readiness })
  const onError = (error: unknown) => log.error({ err: error }, 'inbox: a request failed inside')
  await app.register(inboxApi(inbox, { version: '0.1.0', onError }), { prefix: '/api/v1' })
  const sockets = openTailSockets({ tails, allowedHosts, log })
  const http = await listenHttp(app, { variable: 'POSTHORN_HTTP_PORT', port: config.HTTP_PORT, sockets })
  return http
}
