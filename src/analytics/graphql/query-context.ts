import type { History } from '../history.ts'
import type { Answer, Group, GroupsQuery, HistoryEvent } from '../history-query.ts'
import type { AnswerPlace, AnswerRoom } from './answer-room.ts'
import type { NodeScope } from './datasets.ts'
import { QueryFault } from './query-fault.ts'

/** Who asks, and what may be asked about. */
export interface Asker {
  reach(kind: NodeScope, tag: string): Promise<Reach>
  /** The zones that may be asked about, in the order of their ids. */
  zones(): Promise<readonly ReadableZone[]>
}

export type Reach =
  | { readonly kind: 'readable'; readonly accountId: string }
  /** There, for whoever asks, but without the permission. */
  | { readonly kind: 'lacking' }
  /** Another's, or nobody's. */
  | { readonly kind: 'unknown' }

export interface ReadableZone {
  readonly zoneTag: string
  readonly accountId: string
}

export interface GraphqlWorld {
  readonly history: Pick<History, 'groups' | 'events'>
  /** Whole days that history keeps besides today's. */
  readonly days: number
  readonly now: () => number
  /** For tests: a smaller one. */
  readonly room?: AnswerRoom
}

/** What one query may take. */
const MOST_NODES = 50
const MOST_CHARACTERS = 32 * 1_048_576
const LIMIT_MS = 20_000
/** Of its questions to history at once: others ask too. */
const AT_ONCE = 2

/** One query on its way: what it has taken of what it may take. */
export class QueryContext {
  readonly world: GraphqlWorld
  readonly asker: Asker
  readonly #place: AnswerPlace
  readonly #end: number
  readonly #waiting: (() => void)[] = []
  #running = 0
  #nodes = 0
  #characters = 0
  #failed = false

  constructor(world: GraphqlWorld, asker: Asker, place: AnswerPlace) {
    this.world = world
    this.asker = asker
    this.#place = place
    this.#end = performance.now() + LIMIT_MS
  }

  /** Every resolver that may say no runs in here: after the first no, no more questions are asked of history. */
  async guard<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      this.#failed = true
      throw error
    }
  }

  /** One more dataset is asked for. */
  countNode(): void {
    this.#nodes++
    if (this.#nodes > MOST_NODES) {
      const combined = 'in combination, your request queries too many nodes, zones and accounts'
      throw new QueryFault('limit', `${combined}: ${MOST_NODES} datasets of zones and accounts are the most`)
    }
  }

  /** An answer grows by so much. */
  spend(characters: number): void {
    this.#characters += characters
    const isTooLong = this.#characters > MOST_CHARACTERS
    if (!isTooLong && this.#place.take(characters)) return
    this.#failed = true
    throw isTooLong ? consumed('its answer would be longer than 32 MiB') : UNREAD
  }

  groups(query: GroupsQuery): Promise<readonly Group[]> {
    return this.#ask(() => this.world.history.groups(query))
  }

  events(query: Parameters<History['events']>[0]): Promise<readonly HistoryEvent[]> {
    return this.#ask(() => this.world.history.events(query))
  }

  async #ask<Row>(question: () => Promise<Answer<Row>>): Promise<readonly Row[]> {
    await this.#turn()
    try {
      if (this.#failed) throw new Abandoned()
      if (performance.now() > this.#end) throw consumed(`it was ended after ${LIMIT_MS / 1000} s`)
      const answer = await question()
      if (answer.kind === 'too-slow')
        throw consumed(`a dataset was given up after ${answer.limitMs / 1000} s; ask for a shorter range`)
      if (answer.kind === 'busy') throw new QueryFault('consumed', BUSY)
      return answer.rows
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }

  async #turn(): Promise<void> {
    // What is wrong with any of the others is known once all of them were read.
    await new Promise(setImmediate)
    if (this.#running < AT_ONCE) this.#running++
    // Whoever is ready hands its place on.
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}

/** Nothing is wrong with the query itself. */
export const BUSY = 'too many queries in progress, please try again later'

/** Another part of the query was refused: what this one would have said nobody reads. */
export class Abandoned extends Error {
  override readonly name = 'Abandoned'
}

/** Too much of what was answered is still on its way. */
export const UNREAD = new QueryFault('consumed', 'too many answers wait to be read, please try again later')

function consumed(why: string): QueryFault {
  const excessive = 'query consumed excessive resources, please try running smaller queries'
  return new QueryFault('consumed', `${excessive} which consume fewer resources: ${why}`)
}
