import type { FastifyReply } from 'fastify'

/** While it waits to be read, an answer takes room from others. */
export const READ_MS = 120_000

/** Calls `out` when the answer has left, or its client has, and sees to it that one of them does within the time. */
export function whenOut({ raw }: FastifyReply, ms: number, out: () => void): void {
  if (raw.destroyed) return out()
  const late = setTimeout(() => raw.destroy(), ms)
  raw.once('close', () => {
    clearTimeout(late)
    out()
  })
}
