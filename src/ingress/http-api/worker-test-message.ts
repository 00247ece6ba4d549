import type { FastifyInstance } from 'fastify'
import { testMessage, type WorkerTestReport } from '#contract/workers-tests.ts'
import { serveOperation } from './serve-operation.ts'
import { NO_SCRIPT } from './workers-faults.ts'
import { findScript, type Tried, type WorkersWorld } from './workers-world.ts'

/** `…/scripts/{script_name}/test-message`. */
export function workerTestMessageRoutes(api: FastifyInstance, world: WorkersWorld): void {
  serveOperation(api, { operation: testMessage, world }, async (call) => {
    const worker = await findScript(world, call)
    if (!worker) return NO_SCRIPT
    const { from, to, raw } = call.body
    const place = { accountId: call.accountId, scriptName: worker.name }
    const tried = await world.tryMessage(place, { from, to, raw: Buffer.from(raw) })
    switch (tried.kind) {
      case 'ran':
        return { result: reportBody(tried.report) }
      case 'gone':
        return NO_SCRIPT
      case 'unfit': {
        const { detail, field } = tried
        const pointer = field === undefined ? {} : { pointer: `/${field}` }
        return { status: 400, code: 1001, message: 'Request body is invalid', detail, ...pointer }
      }
      case 'busy':
        return { status: 503, code: 10100, message: 'Too many messages are tried here; try again.' }
    }
  })
}

function reportBody(report: Extract<Tried, { readonly kind: 'ran' }>['report']): WorkerTestReport {
  return {
    ...report,
    forwards: report.forwards.map((each) => ({
      ...each,
      headers: each.headers.map((header) => [...header]),
    })),
    replies: [...report.replies],
    events: [...report.events],
    logs: report.logs.map((line) => ({ ...line, message: [...line.message] })),
    exceptions: [...report.exceptions],
  }
}
