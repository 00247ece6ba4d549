import { LRUCache } from 'lru-cache'
import type { HostAddress, Lookup, MxRecord, Resolver } from './resolver.ts'

/** Node's resolver tells no TTL of MX and TXT, so an answer is believed for a short fixed time: mail to one domain
 *  comes in bursts, and within a minute no zone expects its changes to be seen. */
const BELIEVED_MS = { found: 60_000, absent: 10_000 }
// A stranger chooses the names, and an answer may be 64 KiB: bounded by octets, not by count.
const MAX_OCTETS = 16 * 1024 * 1024

/** The same resolver, asked once for what many ask at the same time or shortly after. Temporary failures are not kept.
 *  `clock` gives milliseconds. */
export function cacheLookups(resolver: Resolver, clock: () => number = Date.now): Resolver {
  const mx = remember<MxRecord>((name) => resolver.mx(name), clock)
  const addresses = remember<HostAddress>((name) => resolver.addresses(name), clock)
  const txt = remember<string>((name) => resolver.txt(name), clock)
  return { mx, addresses, txt }
}

function remember<T>(ask: (name: string) => Promise<Lookup<T>>, clock: () => number) {
  const answers = new LRUCache<string, Lookup<T> & object>({
    maxSize: MAX_OCTETS,
    sizeCalculation: (answer, name) => 200 + name.length + JSON.stringify(answer).length,
    ttl: BELIEVED_MS.found,
    ttlResolution: 0,
    perf: { now: clock },
  })
  const asked = new Map<string, Promise<Lookup<T>>>()

  async function askOnce(name: string): Promise<Lookup<T>> {
    try {
      const answer = await ask(name)
      if (answer.kind !== 'temporary-failure')
        answers.set(name, answer, { ttl: answer.kind === 'found' ? BELIEVED_MS.found : BELIEVED_MS.absent })
      return answer
    } finally {
      asked.delete(name)
    }
  }

  return async (name: string): Promise<Lookup<T>> => {
    const key = name.toLowerCase()
    const known = answers.get(key)
    if (known) return known
    const running = asked.get(key) ?? askOnce(key)
    asked.set(key, running)
    return running
  }
}
