import type { FastifyInstance } from 'fastify'
import { createTail, deleteTail, listTails, type TailFilterBody } from '#contract/workers-tails.ts'
import type { TailFilter } from '#workers/tails/tail-filter.ts'
import { apiTime } from './api-time.ts'
import { type Call, type Fault, NO_SUCH_OBJECT, serveOperation } from './serve-operation.ts'
import { tailPath } from './tail-sockets.ts'
import { NO_SCRIPT } from './workers-faults.ts'
import { findScript, scriptName, type WorkersWorld } from './workers-world.ts'

/** Every reader of this Worker, or of the account's others, is there. */
const TOO_MANY: Fault = {
  status: 400,
  code: 10072,
  message: 'So many tails of this Worker, or this account, are read that there is no room for one more.',
}

/** `…/scripts/{script_name}/tails`: what `wrangler tail` calls (clients.md §3). */
export function workerTailRoutes(api: FastifyInstance, world: WorkersWorld): void {
  const { tails, accounts } = world
  const placeOf = (call: Call<unknown, unknown>) => ({
    accountId: call.accountId,
    scriptName: scriptName(call),
  })

  serveOperation(api, { operation: createTail, world }, async (call) => {
    if (!(await findScript(world, call))) return NO_SCRIPT
    const { accountId, by, body, origin } = call
    const tail = tails.open({
      ...placeOf(call),
      filters: body.filters.map((filter) => readFilter(filter, by.address)),
      async isAllowed() {
        const token = await accounts.current(by.token, by.address)
        const principal = token && (await accounts.principal(token, accountId))
        return principal?.permissions.has('Workers:Read') ?? false
      },
    })
    if (!tail) return TOO_MANY
    const url = `${origin.replace(/^http/, 'ws')}${tailPath(tail.key)}`
    return { result: { id: tail.id, url, expires_at: apiTime(tail.expiresAt) } }
  })

  serveOperation(api, { operation: listTails, world }, async (call) => {
    if (!(await findScript(world, call))) return NO_SCRIPT
    return {
      result: tails.list(placeOf(call)).map(({ id, expiresAt }) => ({ id, expires_at: apiTime(expiresAt) })),
    }
  })

  serveOperation(api, { operation: deleteTail, world }, async (call) =>
    tails.remove(placeOf(call), call.params['tail_id'] ?? '') ? { result: null } : NO_SUCH_OBJECT,
  )
}

function readFilter(body: TailFilterBody, ownAddress: string): TailFilter {
  const { outcome, method, header, query } = body
  return {
    ...{ outcome, method, header, query },
    samplingRate: body.sampling_rate,
    clientIp: body.client_ip?.map((address) => (address === 'self' ? ownAddress : address)),
    versionId: body.scriptVersion,
  }
}
