import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { queryAnalyticsEngine } from '#contract/analytics-engine.ts'
import type { Analytics } from '#workers/storage/analytics.ts'
import { explainLongScan } from './scan-too-long.ts'
import { type ServedBy, serveOperation } from './serve-operation.ts'

export interface AnalyticsEngineWorld extends ServedBy {
  readonly analytics: Analytics
}

/** `/accounts/{account_id}/analytics_engine/sql`. The answer has no envelope, as the original's has none. */
export function analyticsEngineRoutes(door: FastifyInstance, world: AnalyticsEngineWorld): void {
  door.register(async (api) => {
    explainLongScan(api, 'Narrow it by timestamp.')
    serveOperation(api, { operation: queryAnalyticsEngine, world }, async ({ accountId, body }) => {
      const answer = await world.analytics.query(accountId, new TextDecoder().decode(body))
      if ('detail' in answer)
        return { status: 400, code: 1001, message: 'Invalid query', detail: answer.detail }
      const content = Readable.from([JSON.stringify(answer)], { objectMode: false })
      return { file: { name: 'answer.json', type: 'application/json', content } }
    })
  })
}
