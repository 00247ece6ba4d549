import type { FastifyInstance } from 'fastify'
import { pageInfo } from '#contract/paging.ts'
import {
  createQueue,
  deleteQueue,
  editQueue,
  getQueue,
  getQueueMetrics,
  listQueues,
  purgeQueue,
  type QueueBody,
  type QueueChange,
  type QueueSettingsWish,
  updateQueue,
} from '#contract/queues.ts'
import { auditWrite } from '#registry/accounts/audit.ts'
import type { Queue } from '#workers/storage/queue.ts'
import { QUEUES_PER_ACCOUNT, RETENTION_S } from '#workers/storage/queue-registry.ts'
import { INVALID, NO_QUEUE, noteQueue, placeOf, type QueuesWorld, queueBody } from './queue-body.ts'
import { metricsBody } from './queue-messages.ts'
import { type Answer, type Call, serveOperation } from './serve-operation.ts'

/** `/accounts/{account_id}/queues`, apart from messages and consumers. */
export function queueRoutes(api: FastifyInstance, world: QueuesWorld): void {
  const { queues, now } = world

  serveOperation(api, { operation: listQueues, world }, async ({ accountId, query }) => {
    const { page, per_page: limit, name } = query
    const names = typeof name === 'string' ? [name] : name
    const found = await queues.listQueues(accountId, { names, limit, offset: (page - 1) * limit })
    const producers = await world.scripts.workers.queueProducers(accountId)
    const result = found.queues.map((queue) => queueBody(queue, producers.get(queue.name) ?? []))
    return { result, info: pageInfo(query, found.queues.length, found.total) }
  })

  serveOperation(api, { operation: createQueue, world }, async (call) => {
    const { queue_name: name, settings = {} } = call.body
    const wish = { name, deliveryDelay: 0, retention: RETENTION_S, paused: false, ...settingsOf(settings) }
    const made = await queues.createQueue(call.accountId, wish, noteQueue(call, 'queue.create', now()))
    if (made === 'name-taken') {
      const message = `Queue name '${name}' is already taken. Please use a different name and try again.`
      return { status: 400, code: 11009, message, pointer: '/queue_name' }
    }
    if (made === 'too-many') {
      const detail = `The account has ${QUEUES_PER_ACCOUNT} queues, which is the most that it can have.`
      return { ...INVALID, message: 'Too many queues', detail }
    }
    return { result: await show(made, world) }
  })

  serveOperation(api, { operation: getQueue, world }, async (call) => {
    const found = await queues.queue(placeOf(call))
    return found ? { result: await show(found, world) } : NO_QUEUE
  })

  for (const operation of [editQueue, updateQueue]) {
    serveOperation(api, { operation, world }, (call) => change(call, world))
  }

  serveOperation(api, { operation: deleteQueue, world }, async (call) => {
    const removed = await queues.removeQueue(placeOf(call), noteQueue(call, 'queue.delete', now()))
    return removed ? { result: null } : NO_QUEUE
  })

  serveOperation(api, { operation: getQueueMetrics, world }, async (call) => {
    if (!(await queues.queue(placeOf(call)))) return NO_QUEUE
    return { result: metricsBody(await queues.backlog(placeOf(call))) }
  })

  serveOperation(api, { operation: purgeQueue, world }, async (call) => {
    const { accountId, by } = call
    const found = await queues.queue(placeOf(call))
    if (!found) return NO_QUEUE
    const { octets: _, ...before } = await queues.backlog(placeOf(call))
    const resource = { type: 'queue', id: found.id }
    const line = auditWrite({
      ...{ accountId, actor: by.audit, action: 'queue.purge', resource, before, at: now() },
    })
    await queues.purge(placeOf(call), [line])
    return { result: await show(found, world) }
  })
}

async function change(call: Call<unknown, QueueChange>, world: QueuesWorld): Promise<Answer<QueueBody>> {
  const { queues, now } = world
  const { queue_name: name, settings = {} } = call.body
  const before = await queues.queue(placeOf(call))
  if (!before) return NO_QUEUE
  if (name !== undefined && name !== before.name) {
    const detail = `A queue keeps its name, which is "${before.name}": producers and consumers know it by that.`
    return { ...INVALID, detail, pointer: '/queue_name' }
  }
  const note = noteQueue(call, 'queue.update', now())
  const changed = await queues.changeQueue(placeOf(call), settingsOf(settings), note)
  return changed ? { result: await show(changed, world) } : NO_QUEUE
}

async function show(queue: Queue, { scripts }: QueuesWorld): Promise<QueueBody> {
  return queueBody(queue, (await scripts.workers.queueProducers(queue.accountId)).get(queue.name) ?? [])
}

function settingsOf(wish: QueueSettingsWish) {
  const { delivery_delay: deliveryDelay, delivery_paused: paused, message_retention_period: retention } = wish
  return {
    ...(deliveryDelay !== undefined && { deliveryDelay }),
    ...(paused !== undefined && { paused }),
    ...(retention !== undefined && { retention }),
  }
}
