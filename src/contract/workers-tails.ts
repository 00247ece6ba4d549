import { z } from 'zod'
import { operation } from './operation.ts'
import { READ, SCRIPT } from './workers.ts'

/** What Workers log, while it happens: as `wrangler tail` asks for it (clients.md §3). */
const list = z.array(z.string().max(100)).max(20, '20 at most')

const filter = z
  .strictObject({
    sampling_rate: z.number().min(0).max(1).describe('The share of the events').optional(),
    outcome: list
      .describe('`ok`, `exception`, `canceled`, `exceededCpu`, `exceededMemory`, `unknown`')
      .optional(),
    method: list.describe('Of a request').optional(),
    header: z
      .object({ key: z.string().min(1).max(256), query: z.string().max(1024).optional() })
      .describe('A request has this header, with the text in it')
      .optional(),
    client_ip: list.describe('Where a request came from; `self` is who asks').optional(),
    query: z.string().max(1024).describe('A text in what was logged').optional(),
    scriptVersion: z.string().max(100).describe('The id of a version').optional(),
  })
  .meta({ id: 'WorkerTailFilter' })

export type TailFilterBody = z.output<typeof filter>

const MOST_FILTERS = 20

const tail = z.object({ id: z.string(), expires_at: z.string() }).meta({ id: 'WorkerTail' })
export type TailBody = z.output<typeof tail>

export const createTail = operation({
  ...READ,
  id: 'workers.tails.create',
  method: 'POST',
  path: `${SCRIPT}/tails`,
  summary:
    'Opens a tail: a WebSocket (subprotocol trace-v1) on which each invocation of the Worker is told that all filters let through.',
  body: z
    .object({ filters: z.array(filter).max(MOST_FILTERS, `${MOST_FILTERS} filters at most`).default([]) })
    .meta({ examples: [{ filters: [{ outcome: ['exception'] }, { query: 'order 17' }] }] }),
  bodyMayBeMissing: true,
  result: tail
    .extend({ url: z.string().describe('Whoever knows it may read; said here and nowhere else') })
    .meta({ id: 'OpenedWorkerTail' }),
})

export const listTails = operation({
  ...READ,
  id: 'workers.tails.list',
  method: 'GET',
  path: `${SCRIPT}/tails`,
  summary: 'Lists the open tails of a Worker, the newest first.',
  result: z.array(tail),
})

export const deleteTail = operation({
  ...READ,
  id: 'workers.tails.delete',
  method: 'DELETE',
  path: `${SCRIPT}/tails/{tail_id}`,
  summary: 'Ends a tail, and the connection of who reads it.',
  result: z.null(),
})

export const workerTailOperations = [createTail, listTails, deleteTail]
