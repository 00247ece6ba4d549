import { z } from 'zod'
import { monotonicMs } from './clock.ts'

/** A closed loop over kept connections: each sends its next message when the last one was answered. What is sent
 *  where is the caller's; the counting and the latencies are here. */
export const Job = z.object({
  host: z.string(),
  port: z.number(),
  /** First part of every id of this run. */
  phase: z.string(),
  connections: z.number().int().positive(),
  messages: z.number().int().positive(),
  /** Sends no more after this time, however many are left. */
  seconds: z.number().positive(),
})
export type Job = z.infer<typeof Job>

/** Times in milliseconds: `firstAt` on the monotonic clock; latencies from when a connection turns to a message, which
 *  the one before may have announced, to its answer. */
export const LoadResult = z.object({
  firstAt: z.number(),
  sent: z.number(),
  delivered: z.number(),
  queued: z.number(),
  /** Sequence numbers that were answered with anything but acceptance, and the first few of those answers. */
  refused: z.array(z.number()),
  refusals: z.array(z.string()),
  p50: z.number(),
  p99: z.number(),
  max: z.number(),
  /** Of the generator itself. */
  cpuSeconds: z.number(),
})
export type LoadResult = z.infer<typeof LoadResult>

export type Outcome =
  | { readonly accepted: true; readonly delivered: number; readonly queued: number }
  | { readonly accepted: false; readonly answer: string }

export interface Connection {
  /** `next` is what this connection will be told to send after it, for protocols that can say so beforehand. Rejects
   *  when the connection breaks, which ends the run: what became of the message would be unknown. */
  send(sequence: number, next: number | undefined): Promise<Outcome>
  close(): void
}

const REFUSALS_SHOWN = 5

export async function runLoad(job: Job, connect: () => Promise<Connection>): Promise<LoadResult> {
  const connections = await Promise.all(Array.from({ length: job.connections }, connect))
  const latencies: number[] = []
  const refused: number[] = []
  const refusals: string[] = []
  let sent = 0
  let delivered = 0
  let queued = 0
  const cpuBefore = process.cpuUsage()
  const firstAt = monotonicMs()
  const stopAt = firstAt + job.seconds * 1_000

  function take(): number | undefined {
    return sent < job.messages && monotonicMs() <= stopAt ? ++sent : undefined
  }

  async function loop(connection: Connection): Promise<void> {
    for (let sequence = take(), next: number | undefined; sequence !== undefined; sequence = next) {
      next = take()
      const startedAt = monotonicMs()
      const outcome = await connection.send(sequence, next)
      latencies.push(monotonicMs() - startedAt)
      if (outcome.accepted) {
        delivered += outcome.delivered
        queued += outcome.queued
      } else {
        refused.push(sequence)
        if (refusals.length < REFUSALS_SHOWN) refusals.push(outcome.answer)
      }
    }
  }

  try {
    await Promise.all(connections.map(loop))
  } finally {
    for (const connection of connections) connection.close()
  }
  const { user, system } = process.cpuUsage(cpuBefore)
  latencies.sort((a, b) => a - b)
  return {
    firstAt,
    sent,
    delivered,
    queued,
    refused,
    refusals,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    max: percentile(latencies, 1),
    cpuSeconds: (user + system) / 1e6,
  }
}

/** `sorted` ascending; 0 of nothing. */
function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0
}
