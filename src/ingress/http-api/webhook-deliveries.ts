import type { FastifyInstance } from 'fastify'
import { getWebhookDelivery, listWebhookDeliveries, replayWebhookDelivery } from '#contract/webhooks.ts'
import { REPLAYS_PER_MINUTE } from '#notify/replays.ts'
import { auditWrite } from '#registry/accounts/audit.ts'
import { type Call, type Fault, NO_SUCH_OBJECT, serveOperation } from './serve-operation.ts'
import { webhookDeliveryBody, wholeWebhookDeliveryBody } from './webhook-bodies.ts'
import { type NotifyDoorWorld, webhookPlaceOf } from './webhook-world.ts'

/** `…/email/webhooks/{webhook_id}/deliveries`. */
export function webhookDeliveryRoutes(api: FastifyInstance, world: NotifyDoorWorld): void {
  const { notify, now } = world

  serveOperation(api, { operation: listWebhookDeliveries, world }, async (call) => {
    const { per_page: limit, cursor, status: state, type, since, before } = call.query
    const place = webhookPlaceOf(call)
    if (!(await notify.webhooks.webhook(place))) return NO_SUCH_OBJECT
    const after = cursor === undefined ? undefined : readCursor(cursor)
    if (after && 'status' in after) return after
    const filter = { state, type, since: timeOf(since), before: timeOf(before) }
    const found = await notify.deliveries(place, filter, { limit, after })
    // A page that is not full is the last: there is nothing after it to go on to.
    const last = found.length < limit ? undefined : found.at(-1)
    const next = last ? `${last.at.toString(36)}.${last.seq.toString(36)}` : null
    const info = { count: found.length, per_page: limit, cursor: next, next_cursor: next }
    return { result: found.map(webhookDeliveryBody), info }
  })

  serveOperation(api, { operation: getWebhookDelivery, world }, async (call) => {
    const found = await find(call, world)
    return found ? { result: wholeWebhookDeliveryBody(found) } : NO_SUCH_OBJECT
  })

  serveOperation(api, { operation: replayWebhookDelivery, world }, async (call) => {
    const { accountId, by } = call
    if (!(await find(call, world))) return NO_SUCH_OBJECT
    const place = webhookPlaceOf(call)
    const line = auditWrite({
      ...{ accountId, actor: by.audit, action: 'webhook.replay', at: now() },
      resource: { type: 'webhook', id: place.webhookId },
      after: { delivery_id: deliveryId(call) },
    })
    const replayed = await notify.replay(place, deliveryId(call), [line])
    if (replayed === 'too-often') return TOO_MANY_REPLAYS
    if (!replayed) return NO_SUCH_OBJECT
    const found = await find(call, world)
    return found ? { result: wholeWebhookDeliveryBody(found) } : NO_SUCH_OBJECT
  })
}

const TOO_MANY_REPLAYS: Fault = {
  status: 429,
  code: 10004,
  message: 'Too many requests',
  detail: `Of one webhook ${REPLAYS_PER_MINUTE} deliveries a minute can be sent again one by one; replay a range of time instead.`,
  retryAfterS: 60,
}

type Asked = Pick<Call<unknown, unknown>, 'accountId' | 'params'>

function deliveryId({ params }: Asked): string {
  return params['webhook_delivery_id']?.toLowerCase() ?? ''
}

/** What is left of a webhook that is gone is gone. */
async function find(call: Asked, { notify }: NotifyDoorWorld) {
  const place = webhookPlaceOf(call)
  return (await notify.webhooks.webhook(place)) && notify.delivery(place, deliveryId(call))
}

function timeOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text)
}

function readCursor(text: string): { readonly at: number; readonly seq: number } | Fault {
  const [, at = '', seq = ''] = /^([0-9a-z]{1,9})\.([0-9a-z]{1,10})$/.exec(text) ?? []
  if (seq !== '') return { at: Number.parseInt(at, 36), seq: Number.parseInt(seq, 36) }
  const detail = `The query parameter 'cursor': not one that a list gave.`
  return { status: 400, code: 1004, message: 'Invalid query', detail, pointer: '?cursor' }
}
