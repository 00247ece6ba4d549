import { z } from 'zod'
import { octets } from './octets.ts'
import { operation } from './operation.ts'

/** What Workers wrote with `writeDataPoint`, asked for in a small SQL (docs/analytics-engine.md). */
export const queryAnalyticsEngine = operation({
  id: 'analytics_engine.query',
  permission: 'Analytics:Read',
  scope: 'account',
  method: 'POST',
  path: '/accounts/{account_id}/analytics_engine/sql',
  summary: 'Answers a query over the datasets of the account’s Workers: {"meta", "data", "rows"}.',
  body: octets(
    "SELECT blob1, count() AS n FROM mail WHERE timestamp > NOW() - INTERVAL '1' DAY GROUP BY blob1",
  ),
  bodyTypes: ['text/plain'],
  result: z.string(),
  resultTypes: ['application/json'],
})

export const analyticsEngineOperations = [queryAnalyticsEngine]
