import type { FastifyInstance } from 'fastify'
import {
  createWebhook,
  deleteWebhook,
  editWebhook,
  getWebhook,
  listWebhooks,
  replayWebhook,
  rotateWebhookSecret,
  testWebhook,
} from '#contract/webhooks.ts'
import { TRIALS_PER_MINUTE } from '#notify/try-webhook.ts'
import { type RecordWebhook, WEBHOOKS_PER_ACCOUNT, type WebhookFault } from '#notify/webhooks.ts'
import { auditWrite } from '#registry/accounts/audit.ts'
import { INVALID } from './queue-body.ts'
import { readDomain } from './read-domain.ts'
import { explainLongScan } from './scan-too-long.ts'
import { type Call, type Fault, NO_SUCH_OBJECT, serveOperation } from './serve-operation.ts'
import { attemptBody, webhookBody } from './webhook-bodies.ts'
import { webhookDeliveryRoutes } from './webhook-deliveries.ts'
import { type NotifyDoorWorld, webhookPlaceOf } from './webhook-world.ts'

/** `/accounts/{account_id}/email/webhooks`. */
export function webhookRoutes(door: FastifyInstance, world: NotifyDoorWorld): void {
  door.register(async (api) => {
    explainLongScan(api, 'Narrow it by since and before.')
    serveWebhooks(api, world)
    webhookDeliveryRoutes(api, world)
  })
}

function serveWebhooks(api: FastifyInstance, world: NotifyDoorWorld): void {
  const { notify, now } = world
  const { webhooks } = notify
  const note = (call: Call<unknown, unknown>, verb: string) => noteWebhook(call, verb, now())

  serveOperation(api, { operation: listWebhooks, world }, async ({ accountId }) => {
    const result = (await webhooks.listWebhooks(accountId)).map(webhookBody)
    const info = { page: 1, per_page: result.length, count: result.length, total_count: result.length }
    return { result, info: { ...info, total_pages: 1 } }
  })

  serveOperation(api, { operation: createWebhook, world }, async (call) => {
    const domains = readDomains(call.body.domains)
    if (domains && 'status' in domains) return domains
    const made = await webhooks.createWebhook(call.accountId, { ...call.body, domains }, note(call, 'create'))
    if ('kind' in made) return explain(made)
    return { result: { ...webhookBody(made.webhook), secret: made.secret } }
  })

  serveOperation(api, { operation: getWebhook, world }, async (call) => {
    const found = await webhooks.webhook(webhookPlaceOf(call))
    return found ? { result: webhookBody(found) } : NO_SUCH_OBJECT
  })

  serveOperation(api, { operation: editWebhook, world }, async (call) => {
    const { url, description, events, domains: asked, enabled } = call.body
    // What another account has is not there, whatever is wrong with the wish.
    if (!(await webhooks.webhook(webhookPlaceOf(call)))) return NO_SUCH_OBJECT
    const domains = asked === undefined ? undefined : readDomains(asked)
    if (domains && 'status' in domains) return domains
    const wish = {
      ...(url !== undefined && { url }),
      ...(description !== undefined && { description }),
      ...(events !== undefined && { events }),
      ...(domains !== undefined && { domains }),
      ...(enabled !== undefined && { enabled }),
    }
    const changed = await webhooks.changeWebhook(webhookPlaceOf(call), wish, note(call, 'update'))
    if (!changed) return NO_SUCH_OBJECT
    return 'kind' in changed ? explain(changed) : { result: webhookBody(changed) }
  })

  serveOperation(api, { operation: deleteWebhook, world }, async (call) => {
    const removed = await webhooks.removeWebhook(webhookPlaceOf(call), note(call, 'delete'))
    return removed ? { result: { id: removed.id } } : NO_SUCH_OBJECT
  })

  serveOperation(api, { operation: rotateWebhookSecret, world }, async (call) => {
    const overlapMs = call.body.overlap_seconds * 1000
    const rotated = await webhooks.rotateSecret(webhookPlaceOf(call), overlapMs, note(call, 'rotate_secret'))
    if (!rotated) return NO_SUCH_OBJECT
    return { result: { ...webhookBody(rotated.webhook), secret: rotated.secret } }
  })

  serveOperation(api, { operation: testWebhook, world }, async (call) => {
    const trial = await notify.tryWebhook(webhookPlaceOf(call), call.body.event)
    if (!trial) return NO_SUCH_OBJECT
    if (typeof trial === 'string') return TOO_MANY_TRIALS[trial]
    const { works, deliveryId, attempt } = trial
    return { result: { works, delivery_id: deliveryId, attempt: attemptBody(attempt) } }
  })

  serveOperation(api, { operation: replayWebhook, world }, async (call) => {
    const { accountId, by, body } = call
    const place = webhookPlaceOf(call)
    if (!(await webhooks.webhook(place))) return NO_SUCH_OBJECT
    const before = body.before === undefined ? now() : Date.parse(body.before)
    const range = { since: Date.parse(body.since), before, delivered: body.status === 'all' }
    const line = auditWrite({
      ...{ accountId, actor: by.audit, action: 'webhook.replay', at: now() },
      resource: { type: 'webhook', id: place.webhookId },
      after: { since: body.since, before: new Date(before).toISOString(), status: body.status },
    })
    const replayed = await notify.replayRange(place, range, [line])
    return replayed === 'busy' ? REPLAY_BUSY : { result: replayed }
  })
}

const TOO_MANY = { status: 429, code: 10004, message: 'Too many requests' } as const
const TOO_MANY_TRIALS = {
  busy: { ...TOO_MANY, detail: 'Another test is under way; try again in some seconds.' },
  'too-often': {
    ...TOO_MANY,
    detail: `A webhook can be tested ${TRIALS_PER_MINUTE} times a minute; try again in a minute.`,
  },
} as const satisfies Record<string, Fault>
const REPLAY_BUSY: Fault = {
  ...TOO_MANY,
  detail: 'Another replay is under way, of this webhook or of several others; try again when it is through.',
}

/** As the registry has them, or which one is none. */
function readDomains(names: readonly string[] | null): readonly string[] | null | Fault {
  if (names === null) return null
  const read = names.map(readDomain)
  const bad = read.indexOf(undefined)
  if (bad !== -1) return noDomain(bad)
  return [...new Set(read.filter((name) => name !== undefined))]
}

function explain(fault: WebhookFault): Fault {
  switch (fault.kind) {
    case 'bad-url':
      return { ...INVALID, detail: fault.detail, pointer: '/url' }
    case 'no-domain':
      return noDomain(fault.index)
    case 'too-many': {
      const detail = `The account has ${WEBHOOKS_PER_ACCOUNT} webhooks, which is the most that it can have.`
      return { ...INVALID, message: 'Too many webhooks', detail }
    }
  }
}

function noDomain(index: number): Fault {
  return { ...INVALID, detail: 'This account has no such domain.', pointer: `/domains/${index}` }
}

/** Its line in the audit log. */
function noteWebhook({ accountId, by }: Call<unknown, unknown>, verb: string, at: number): RecordWebhook {
  return ({ before, after }) => [
    auditWrite({
      ...{ accountId, actor: by.audit, action: `webhook.${verb}`, at },
      resource: { type: 'webhook', id: (after ?? before)?.id ?? '' },
      ...(before && { before: webhookBody(before) }),
      ...(after && { after: webhookBody(after) }),
    }),
  ]
}
