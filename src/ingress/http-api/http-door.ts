import Fastify, { type FastifyInstance } from 'fastify'
import { SESSION_BASE } from '#contract/session.ts'
import { absentProduct } from './absent-product.ts'
import { accountDomainRoutes } from './account-domains.ts'
import { accountRoutes } from './accounts.ts'
import { activityRoutes } from './activity.ts'
import { addressRoutes } from './addresses.ts'
import { analyticsEngineRoutes } from './analytics-engine.ts'
import { turnAway } from './answer.ts'
import { apiDocumentRoutes } from './api-documents.ts'
import { auditLogRoutes } from './audit-logs.ts'
import { catchAllRoutes } from './catch-all.ts'
import { openDashboardDoor } from './dashboard-door.ts'
import { deliverabilityRoutes } from './deliverability.ts'
import { dnsRecordRoutes } from './dns-records.ts'
import { emailZoneRoutes } from './email-zones.ts'
import { eventSubscriptionRoutes } from './event-subscriptions.ts'
import { explainError } from './explain-error.ts'
import { graphqlRoutes } from './graphql.ts'
import { guard } from './guard.ts'
import type { HttpWorld } from './http-world.ts'
import { kvBulkRoutes } from './kv-bulk.ts'
import { kvNamespaceRoutes } from './kv-namespaces.ts'
import { kvValueRoutes } from './kv-values.ts'
import { limitUnread } from './limit-unread.ts'
import { memberRoutes } from './members.ts'
import { messagePreviewRoutes } from './message-preview.ts'
import { messageRoutes } from './messages.ts'
import { mtaStsRoutes } from './mta-sts.ts'
import { operatorRoutes } from './operator.ts'
import { queueConsumerRoutes } from './queue-consumers.ts'
import { queueMessageRoutes } from './queue-messages.ts'
import { queueRoutes } from './queues.ts'
import { routingDnsRoutes } from './routing-dns.ts'
import { routingSettingsRoutes } from './routing-settings.ts'
import { ruleRoutes } from './rules.ts'
import { planRoutes } from './rules-plan.ts'
import { sendRoutes } from './send.ts'
import { sendingSubdomainRoutes } from './sending-subdomains.ts'
import { sessionRoutes } from './session.ts'
import { sessionSecretOf } from './session-cookie.ts'
import { sessionOrigin } from './session-guard.ts'
import { smarthostRoutes } from './smarthost.ts'
import { suppressionRoutes } from './suppressions.ts'
import { testMessageRoutes } from './test-message.ts'
import { tokenRoutes } from './tokens.ts'
import { verifyAddressRoutes } from './verify-address.ts'
import { webhookRoutes } from './webhooks.ts'
import { workersDoor } from './workers-door.ts'
import type { WorkersWorld } from './workers-world.ts'
import { zoneRoutes } from './zones.ts'

/** Of requests that carry no message. */
const SMALL_BODY = 1_048_576

/** What no route says otherwise. No cache keeps what is answered to somebody: RFC 9111 §3.5 keeps it from that for
 *  Authorization, not for cookies. */
const OF_ALL = { 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' } as const

/** The HTTP door: API at /client/v4, and whatever else main mounts. In: requests of strangers. Out: the envelope of the
 *  API, always. Promise: an answer of 200 to a send is true and on disk; bad input gets a 4xx that names the field;
 *  what is ours is 500 with the same envelope, and loses nothing. */
export function openHttpDoor(world: HttpWorld): FastifyInstance {
  const app = Fastify({
    logger: false,
    bodyLimit: SMALL_BODY,
    // A Message-ID is in the path, or a key of KV of 512 octets; what is longer than these deserves an answer too.
    routerOptions: { maxParamLength: 1600 },
    frameworkErrors: (_error, _request, reply) => {
      turnAway(reply.headers(OF_ALL), 'invalidSchema', 'The URL is not valid.')
    },
  })
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(OF_ALL)
    const unwelcome = guard(request.raw, world.allowedHosts)
    if (unwelcome) return turnAway(reply, unwelcome.reason, unwelcome.detail)
    world.dashboard.cookie.read(request)
    const unsaid = sessionSecretOf(request) === undefined ? undefined : sessionOrigin(request)
    return unsaid === undefined ? undefined : turnAway(reply, 'foreignOrigin', unsaid)
  })

  limitUnread(app)
  // Bodies are JSON by route, whatever their Content-Type says: clients send text/plain too.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))

  const dashboard = openDashboardDoor(world.dashboard.files)
  app.get('/', (request, reply) => dashboard.index(request, reply))
  app.setNotFoundHandler(async (request, reply) => {
    const answered = await dashboard.answer(request, reply)
    if (answered) return answered
    const path = request.url.split('?', 1)[0] ?? ''
    return turnAway(reply, 'noRoute', `There is no ${request.method} ${path}.${absentProduct(path)}`)
  })
  app.setErrorHandler((error, request, reply) => explainError(error, request, reply, world.log))
  app.register(
    async (api) => {
      sendRoutes(api, world)
      activityRoutes(api, world)
      suppressionRoutes(api, world)
      messageRoutes(api, { ...world, ...world.queue })
      messagePreviewRoutes(api, { ...world, ...world.queue })
      smarthostRoutes(api, { ...world, ...world.smarthost })
      zoneRoutes(api, world)
      dnsRecordRoutes(api, world)
      routingRoutes(api, world)
      sendingSubdomainRoutes(api, world)
      routingSettingsRoutes(api, world)
      routingDnsRoutes(api, world)
      mtaStsRoutes(api, world)
      accountDomainRoutes(api, world)
      emailZoneRoutes(api, world)
      deliverabilityRoutes(api, world)
      workersDoor(api, scriptsWorld(world))
      workersStorageRoutes(api, world)
      accountRoutes(api, world)
      tokenRoutes(api, world)
      memberRoutes(api, { ...world, ...world.members })
      auditLogRoutes(api, world)
      graphqlRoutes(api, world)
      eventSubscriptionRoutes(api, world)
      webhookRoutes(api, world)
    },
    { prefix: '/client/v4' },
  )
  app.register(async (api) => operatorRoutes(api, { ...world, ...world.queue }), { prefix: '/operator/v1' })
  app.register(
    async (api) => {
      sessionRoutes(api, world)
      testMessageRoutes(api, world)
    },
    { prefix: SESSION_BASE },
  )
  apiDocumentRoutes(app)
  verifyAddressRoutes(app, { ...world, ...world.routing })
  return app
}

function routingRoutes(api: FastifyInstance, world: HttpWorld): void {
  const routing = { ...world, ...world.routing, workers: world.scripts.workers }
  ruleRoutes(api, routing)
  catchAllRoutes(api, routing)
  planRoutes(api, routing)
  addressRoutes(api, routing)
}

/** What an upload may bind to is what the account keeps. */
function scriptsWorld(world: HttpWorld): WorkersWorld {
  const { kv, queues } = world.workersStorage
  return {
    ...world,
    ...world.scripts,
    hasKvNamespace: async (accountId, id) => (await kv.namespace(accountId, id)) !== undefined,
    hasQueue: async (accountId, name) => (await queues.queueNamed(accountId, name)) !== undefined,
  }
}

function workersStorageRoutes(api: FastifyInstance, world: HttpWorld): void {
  const hasScript = async (accountId: string, name: string) =>
    (await world.scripts.workers.worker(accountId, name)) !== undefined
  const storage = { ...world, ...world.workersStorage, hasScript }
  kvNamespaceRoutes(api, storage)
  kvValueRoutes(api, storage)
  kvBulkRoutes(api, storage)
  queueRoutes(api, storage)
  queueMessageRoutes(api, storage)
  queueConsumerRoutes(api, storage)
  analyticsEngineRoutes(api, storage)
}

const unparsableBody = JSON.stringify({
  success: false,
  errors: [{ code: 10001, message: 'email.sending.error.invalid_request_schema' }],
  messages: [],
  result: null,
})
/** The answer to what is not even HTTP. */
export const UNPARSABLE = `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${unparsableBody.length}\r\n\r\n${unparsableBody}`
