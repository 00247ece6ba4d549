import { connect } from 'node:net'
import { readOutboxLag } from '#events/outbox-lag.ts'
import type { PartReadiness } from '#ingress/http-api/probes.ts'
import type { Store } from '#store/store.ts'

export interface ReadinessOptions {
  readonly store: Store
  /** Writes something of no consequence; rejects where the store takes no writes. */
  readonly write: () => Promise<void>
  /** The doors that mail comes through, by what they are called. */
  readonly doors: Readonly<Record<string, number>>
  readonly now: () => number
}

/** A part that does not say so by then is not ready. */
const PATIENCE_MS = 3000
/** Whoever asks again so soon is told the same: each look writes to the disk. */
const LIFE_MS = 2000
/** Events that wait for longer: history and webhooks are far behind. Mail goes on without them, and a node that were not
 *  ready for it would take mail away from all of them at once: the outbox is the same on each. */
const MOST_LAG_MS = 5 * 60_000

/** Whether this node can do its work, part by part. Never rejects. */
export function openReadiness(options: ReadinessOptions): () => Promise<readonly PartReadiness[]> {
  let latest: { readonly at: number; readonly parts: Promise<readonly PartReadiness[]> } | undefined
  return () => {
    const at = performance.now()
    if (!latest || at - latest.at > LIFE_MS) latest = { at, parts: look(options) }
    return latest.parts
  }
}

function look({ store, write, doors, now }: ReadinessOptions): Promise<readonly PartReadiness[]> {
  return Promise.all([
    part('store', async () => {
      await readOutboxLag(store, now())
      await write()
    }),
    ...Object.entries(doors).map(([door, port]) => part(`door:${door}`, () => reach(port))),
    watched('projector', async () => {
      const { oldestMs } = await readOutboxLag(store, now())
      if (oldestMs > MOST_LAG_MS)
        throw new Error(`history and webhooks are ${Math.round(oldestMs / 1000)} s behind; mail goes on`)
    }),
  ])
}

/** One that mail can do without: what is wrong with it is told, and the node stays ready. */
async function watched(name: string, check: () => Promise<void>): Promise<PartReadiness> {
  const { detail } = await part(name, check)
  return { part: name, ready: true, ...(detail !== undefined && { warning: detail }) }
}

async function part(name: string, check: () => Promise<void>): Promise<PartReadiness> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${PATIENCE_MS} ms`)), PATIENCE_MS)
  try {
    await Promise.race([check(), late.promise])
    return { part: name, ready: true }
  } catch (error) {
    return { part: name, ready: false, detail: error instanceof Error ? error.message : String(error) }
  } finally {
    clearTimeout(timer)
  }
}

/** Whether anybody listens there. Nothing is said, so no session begins. */
function reach(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: PATIENCE_MS })
    socket.once('connect', () => {
      socket.destroy()
      resolve()
    })
    socket.once('timeout', () => socket.destroy(new Error('nobody accepts the connection')))
    socket.once('error', (error) => reject(error))
  })
}
