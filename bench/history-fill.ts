import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { History } from '#analytics/history.ts'
import type { Store } from '#store/store.ts'
import { makeDomain, type SomeDomain } from '#test/history-world.ts'
import { fromOutbox, traffic } from './history-traffic.ts'

const BATCH = 1000
const DAY_MS = 86_400_000

/** What history was filled with. */
export interface Filled {
  readonly events: number
  /** Of the first event and of the last, in ms since 1970. */
  readonly start: number
  readonly end: number
  readonly domains: readonly SomeDomain[]
}

/** What a folder was filled with in an earlier run; undefined of one that was not. */
export function filledBefore(directory: string): Filled | undefined {
  const file = join(directory, NOTE)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Filled) : undefined
}

const NOTE = 'filled.json'

/** Fills history with so many events over so many days in one zone, and writes down in the folder that it did. */
export async function fill(
  { store, history, directory }: { store: Store; history: History; directory: string },
  { events, days }: { events: number; days: number },
): Promise<Filled> {
  const first = await makeDomain(store, { name: 'one.example', check: [] })
  const domains = [first]
  for (const name of ['two', 'three', 'four', 'five']) {
    const more = { name: `${name}.example`, accountId: first.accountId, check: [] }
    domains.push({ ...(await makeDomain(store, more)), zoneId: first.zoneId })
  }
  const end = Date.now()
  const filled = { events, start: end - days * DAY_MS, end, domains }
  await take(history, filled)
  writeFileSync(join(directory, NOTE), JSON.stringify(filled))
  return filled
}

async function take(history: History, { events, start, end, domains }: Filled): Promise<void> {
  const check = { status: 'ready', problems: [] }
  const origins = new Map(domains.map(({ id, name, zoneId }) => [id, { id, name, zoneId, check }]))
  // 1.65 events for each message.
  const more = traffic(domains, start, (end - start) / (events / 1.65))
  const began = performance.now()
  const seconds = () => (performance.now() - began) / 1000
  let taking: Promise<unknown> = Promise.resolve()
  for (let done = 0; done < events; done += BATCH) {
    const batch = Array.from({ length: BATCH }, (_, i) =>
      fromOutbox(more.next().value, -events + done + i, origins),
    )
    await taking
    taking = history.take(batch, [])
    if (done > 0 && done % 1_000_000 === 0) console.log(`  ${done} events after ${seconds().toFixed(0)} s`)
  }
  await taking
  const rate = Math.round(events / seconds())
  console.log(`filled: ${events} events in ${seconds().toFixed(1)} s, ${rate} a second`)
}
