import type { FastifyInstance } from 'fastify'
import { pageInfo } from '#contract/paging.ts'
import {
  getReferences,
  getSchedules,
  getSubdomain,
  getWorker,
  getWorkerSubdomain,
  listDurableObjects,
  listTailProducers,
  putSchedules,
  putSubdomain,
  type SchedulesBody,
  setWorkerSubdomain,
} from '#contract/workers-places.ts'
import { auditWrite } from '#registry/accounts/audit.ts'
import { isCron, parseCron } from '#registry/workers/cron.ts'
import type { Worker } from '#registry/workers/worker.ts'
import { apiTime } from './api-time.ts'
import { serveOperation } from './serve-operation.ts'
import { settingsBody } from './worker-bodies.ts'
import { NO_SCRIPT } from './workers-faults.ts'
import { findScript, noteWorker, type WorkersWorld } from './workers-world.ts'

/** Host names below the account's label, crons, and what else wrangler asks on its way. */
export function workerPlaceRoutes(api: FastifyInstance, world: WorkersWorld): void {
  const { workers, now } = world

  serveOperation(api, { operation: getSubdomain, world }, async ({ accountId }) => ({
    result: { subdomain: await workers.subdomain(accountId) },
  }))

  serveOperation(api, { operation: putSubdomain, world }, async ({ accountId, body: { subdomain }, by }) => {
    const before = await workers.subdomain(accountId)
    const audit = auditWrite({
      ...{ accountId, actor: by.audit, action: 'workers_subdomain.update', at: now() },
      ...{
        resource: { type: 'account', id: accountId },
        before: { subdomain: before },
        after: { subdomain },
      },
    })
    if (await workers.chooseSubdomain(accountId, subdomain, [audit])) return { result: { subdomain } }
    return { status: 409, code: 10031, message: `The subdomain '${subdomain}' is not available.` }
  })

  serveOperation(api, { operation: getWorker, world }, async (call) => {
    const worker = await findScript(world, call)
    if (!worker) return NO_SCRIPT
    const host = `${worker.name}.${await workers.subdomain(call.accountId)}.${workers.host}`
    return {
      result: {
        ...{ id: worker.id, name: worker.name },
        ...{ created_on: apiTime(worker.createdAt), updated_on: apiTime(worker.modifiedAt) },
        ...{ ...settingsBody(worker), references: {} },
        subdomain: { ...placeBody(worker), url: world.workerUrl(host) },
      },
    }
  })

  serveOperation(api, { operation: getWorkerSubdomain, world }, async (call) => {
    const worker = await findScript(world, call)
    return worker ? { result: placeBody(worker) } : NO_SCRIPT
  })

  serveOperation(api, { operation: setWorkerSubdomain, world }, async (call) => {
    const worker = await findScript(world, call)
    const { enabled } = call.body
    // Every deploy says it again.
    if (worker?.onSubdomain === enabled) return { result: placeBody(worker) }
    const changed =
      worker &&
      (await workers.changeSubdomain(worker, enabled, ({ before }) => [
        noteWorker(call, now(), {
          ...{ verb: 'update', worker: before },
          ...{ before: { subdomain_enabled: before.onSubdomain }, after: { subdomain_enabled: enabled } },
        }),
      ]))
    return changed ? { result: placeBody(changed) } : NO_SCRIPT
  })

  serveOperation(api, { operation: getSchedules, world }, async (call) => {
    const worker = await findScript(world, call)
    return worker ? { result: schedulesBody(worker) } : NO_SCRIPT
  })

  serveOperation(api, { operation: putSchedules, world }, async (call) => {
    const worker = await findScript(world, call)
    if (!worker) return NO_SCRIPT
    for (const [index, { cron }] of call.body.entries()) {
      const parsed = parseCron(cron)
      if (isCron(parsed)) continue
      const message = `'${cron.slice(0, 100)}' is no cron: ${parsed.detail}`
      return { status: 400, code: 10100, message, pointer: `/${index}/cron` }
    }
    const crons = [...new Set(call.body.map(({ cron }) => cron.trim()))]
    const changed = await workers.changeCrons(worker, crons, ({ before }) => [
      noteWorker(call, now(), {
        ...{ verb: 'update', worker: before, before: { crons: before.crons }, after: { crons } },
      }),
    ])
    return changed ? { result: schedulesBody(changed) } : NO_SCRIPT
  })

  serveOperation(api, { operation: getReferences, world }, async (call) => {
    const worker = await findScript(world, call)
    if (!worker) return NO_SCRIPT
    const names = await workers.references(call.accountId, worker.name)
    const incoming = names.map((service) => ({ name: service, service, environment: 'production' }))
    return { result: { services: { incoming, outgoing: [] }, durable_objects: [], dispatch_outbounds: [] } }
  })

  serveOperation(api, { operation: listTailProducers, world }, async (call) =>
    (await findScript(world, call)) ? { result: [] } : NO_SCRIPT,
  )

  serveOperation(api, { operation: listDurableObjects, world }, async ({ query }) => ({
    ...{ result: [], info: pageInfo(query, 0, 0) },
  }))
}

function placeBody({ onSubdomain }: Worker) {
  return { enabled: onSubdomain, previews_enabled: false }
}

function schedulesBody({ crons, createdAt, modifiedAt }: Worker): SchedulesBody {
  const times = { created_on: apiTime(createdAt), modified_on: apiTime(modifiedAt) }
  return { schedules: crons.map((cron) => ({ cron, ...times })) }
}
