import { LRUCache } from 'lru-cache'
import type { Lookup, TimedAddress } from '#net/resolver.ts'
import type { Log } from '#observe/log.ts'
import { reversedAddress } from '#protocol/reversed-address.ts'

/** One DNS block list of IP addresses (RFC 5782). */
export interface BlockList {
  /** What strangers and logs are told. A zone may hold the operator's key to it. */
  readonly label: string
  readonly zone: string
  /** Which answers 127.0.0.x count, as ranges of x; absent means all from 2 on. */
  readonly codes?: readonly (readonly [from: number, to: number])[]
}

export interface BlockLists {
  /** Labels of the lists that have the address. Never rejects; a list that does not answer in time lists nobody. */
  listedOn(address: string): Promise<readonly string[]>
}

export interface BlockListsOptions {
  readonly lists: readonly BlockList[]
  /** Never rejects. */
  readonly a: (name: string) => Promise<Lookup<TimedAddress>>
  readonly log: Log
  /** How long all lists together may take. */
  readonly lookupMs?: number
  /** Milliseconds. */
  readonly clock?: () => number
}

const LOOKUP_MS = 5000
/** Of answers whose zone says otherwise, or nothing: a list is neither asked in a loop nor believed for days. */
const BELIEVED_MS = { least: 30_000, most: 3_600_000, absent: 60_000 }
const MOST_ANSWERS = 50_000
/** So many failures in a row put a list to rest, so that mail does not wait for one that is down. */
const FAILURES = 3
const REST_MS = 30_000
const ALL_CODES = [[2, 255]] as const

type Listed = 'listed' | 'absent' | 'failed'

export function openBlockLists(options: BlockListsOptions): BlockLists {
  const lists = options.lists.map((list) => new AskedList(list, options))
  return {
    async listedOn(address) {
      const answers = await Promise.all(
        lists.map(async (list) => ((await list.has(address)) ? [list.label] : [])),
      )
      return answers.flat()
    },
  }
}

class AskedList {
  readonly label: string
  readonly #list: BlockList
  readonly #options: BlockListsOptions
  readonly #clock: () => number
  readonly #answers: LRUCache<string, Listed>
  readonly #asked = new Map<string, Promise<Listed>>()
  #failures = 0
  #restsUntil = Number.NEGATIVE_INFINITY

  constructor(list: BlockList, options: BlockListsOptions) {
    this.label = list.label
    this.#list = list
    this.#options = options
    this.#clock = options.clock ?? Date.now
    this.#answers = new LRUCache({ max: MOST_ANSWERS, ttl: 1, ttlResolution: 0, perf: { now: this.#clock } })
  }

  async has(address: string): Promise<boolean> {
    const labels = reversedAddress(address)
    if (labels === undefined || (await this.#ask(labels)) !== 'listed') return false
    // RFC 5782 §5: a list that has 127.0.0.1 has everything. So do zones that were given up and answer for sale.
    const test = reversedAddress('127.0.0.1')
    const sane = test !== undefined && (await this.#ask(test)) === 'absent'
    if (!sane)
      this.#options.log.warn({ list: this.label }, 'mx: a block list lists 127.0.0.1, it is not believed')
    return sane
  }

  #ask(labels: string): Promise<Listed> | Listed {
    const known = this.#answers.get(labels)
    if (known !== undefined) return known
    if (this.#clock() < this.#restsUntil) return 'failed'
    const running = this.#asked.get(labels) ?? this.#askOnce(labels)
    this.#asked.set(labels, running)
    return running
  }

  async #askOnce(labels: string): Promise<Listed> {
    const { a, lookupMs = LOOKUP_MS } = this.#options
    const late = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => late.resolve(undefined), lookupMs)
    try {
      const answer = await Promise.race([a(`${labels}.${this.#list.zone}`), late.promise])
      if (answer === undefined || answer.kind === 'temporary-failure') return this.#fail()
      this.#failures = 0
      return this.#take(labels, answer)
    } catch (error) {
      this.#options.log.error({ err: error, list: this.label }, 'mx: a block list could not be asked')
      return this.#fail()
    } finally {
      clearTimeout(timer)
      this.#asked.delete(labels)
    }
  }

  #take(labels: string, answer: Exclude<Lookup<TimedAddress>, { kind: 'temporary-failure' }>): Listed {
    const records = answer.kind === 'found' ? answer.records : []
    const listed = records.some(({ address }) => this.#counts(address)) ? 'listed' : 'absent'
    const seconds = Math.min(...records.map(({ ttlSeconds }) => ttlSeconds ?? BELIEVED_MS.absent / 1000))
    const ttl =
      records.length === 0
        ? BELIEVED_MS.absent
        : Math.min(Math.max(seconds * 1000, BELIEVED_MS.least), BELIEVED_MS.most)
    this.#answers.set(labels, listed, { ttl })
    return listed
  }

  /** Only 127.0.0.x is a listing: 127.255.255.x says that the list does not answer us, and anything else is no list. */
  #counts(address: string): boolean {
    const code = /^127\.0\.0\.(\d{1,3})$/.exec(address)?.[1]
    const ranges = this.#list.codes ?? ALL_CODES
    return code !== undefined && ranges.some(([from, to]) => Number(code) >= from && Number(code) <= to)
  }

  #fail(): Listed {
    this.#failures += 1
    if (this.#failures >= FAILURES) {
      this.#failures = 0
      this.#restsUntil = this.#clock() + REST_MS
      this.#options.log.warn({ list: this.label }, 'mx: a block list does not answer, it rests for a while')
    }
    return 'failed'
  }
}
