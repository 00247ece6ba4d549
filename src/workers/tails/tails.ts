/** Who watches Workers at work. In: invocations that are wholly over. Out: the same, to whoever tails the Worker. Promise:
 *  a tail is told of its own Worker alone, and of that what its filters let through; an account has so many tails and no
 *  more, each for a limited time; nothing is kept for later.
 *
 *  A tail is this process's: it knows of what runs here. */
import { randomBytes } from 'node:crypto'
import type { WorkerPlace } from '#workers/runtime/host-services.ts'
import type { WorkerTrace } from '#workers/runtime/worker-trace.ts'
import { tailEvent } from './tail-event.ts'
import { passesFilters, type TailFilter } from './tail-filter.ts'

export interface Tail {
  readonly id: string
  /** Opens it to be read. Nobody guesses it, and whoever knows it needs no token. */
  readonly key: string
  /** Milliseconds since 1970. */
  readonly expiresAt: number
}

export interface NewTail extends WorkerPlace {
  readonly filters: readonly TailFilter[]
  /** Whether who opened it may still look at the Worker. Rejects where that cannot be found out now. */
  readonly isAllowed: () => Promise<boolean>
}

/** Where a tail's events go. Neither may throw. */
export interface TailReader {
  /** An event as JSON. */
  tell(event: string): void
  /** Nothing comes any more. */
  end(why: TailEnd): void
}

/** `gone`: it was removed, or its Worker was. `replaced`: somebody else reads it now. `closing`: this process ends. */
export type TailEnd = 'expired' | 'gone' | 'replaced' | 'closing'

export interface FoundTail extends Pick<NewTail, 'isAllowed'> {
  /** From now on, in place of who did so; undefined where it has ended meanwhile. Out: leaves it. */
  read(reader: TailReader): (() => void) | undefined
}

export interface Tails {
  /** One that nobody reads makes room for it, the oldest first; undefined where all are read. */
  open(tail: NewTail): Tail | undefined
  /** The newest first. */
  list(place: WorkerPlace): readonly Tail[]
  find(key: string): FoundTail | undefined
  /** False where the Worker has no such tail. */
  remove(place: WorkerPlace, id: string): boolean
  /** For a Worker that is gone. */
  removeAll(place: WorkerPlace): void
  /** An invocation that is over. Costs next to nothing where nobody tails. Never throws. */
  publish(trace: WorkerTrace): void
  /** Ends all. */
  close(): void
}

export interface TailsOptions {
  readonly now: () => number
  /** In [0, 1), for filters that let some of the events through. */
  readonly random?: () => number
  readonly lifeMs?: number
}

/** As many as the original has for one Worker. */
const MOST_PER_WORKER = 10
const MOST_PER_ACCOUNT = 50
const LIFE_MS = 6 * 3_600_000

interface OpenTail extends Tail, NewTail {
  reader: TailReader | undefined
  readonly expiry: NodeJS.Timeout
}

export function openTails({ now, random = Math.random, lifeMs = LIFE_MS }: TailsOptions): Tails {
  /** By account, in the order in which they were opened. */
  const accounts = new Map<string, Set<OpenTail>>()
  const byKey = new Map<string, OpenTail>()

  const tailsOf = ({ accountId, scriptName }: WorkerPlace): readonly OpenTail[] => {
    const ofAccount = accounts.get(accountId)
    return ofAccount ? [...ofAccount].filter((tail) => tail.scriptName === scriptName) : []
  }

  function end(tail: OpenTail, why: TailEnd): void {
    clearTimeout(tail.expiry)
    byKey.delete(tail.key)
    const ofAccount = accounts.get(tail.accountId)
    ofAccount?.delete(tail)
    if (ofAccount?.size === 0) accounts.delete(tail.accountId)
    tail.reader?.end(why)
    tail.reader = undefined
  }

  function makeRoom(among: readonly OpenTail[], most: number): boolean {
    if (among.length < most) return true
    const unread = among.find(({ reader }) => !reader)
    if (unread) end(unread, 'gone')
    return unread !== undefined
  }

  return {
    open(wish) {
      if (!makeRoom(tailsOf(wish), MOST_PER_WORKER)) return undefined
      if (!makeRoom([...(accounts.get(wish.accountId) ?? [])], MOST_PER_ACCOUNT)) return undefined
      const tail: OpenTail = {
        ...wish,
        id: randomBytes(16).toString('hex'),
        key: randomBytes(32).toString('base64url'),
        expiresAt: now() + lifeMs,
        reader: undefined,
        expiry: setTimeout(() => end(tail, 'expired'), lifeMs).unref(),
      }
      byKey.set(tail.key, tail)
      const ofAccount = accounts.get(wish.accountId) ?? new Set()
      accounts.set(wish.accountId, ofAccount.add(tail))
      return tail
    },

    list: (place) => tailsOf(place).toReversed(),

    find(key) {
      const tail = byKey.get(key)
      if (!tail) return undefined
      return {
        isAllowed: tail.isAllowed,
        read(reader) {
          if (!byKey.has(key)) return undefined
          // A client that lost its connection comes back before anybody has noticed here.
          tail.reader?.end('replaced')
          tail.reader = reader
          return () => {
            if (tail.reader === reader) tail.reader = undefined
          }
        },
      }
    },

    remove(place, id) {
      const tail = tailsOf(place).find((each) => each.id === id)
      if (tail) end(tail, 'gone')
      return tail !== undefined
    },

    removeAll(place) {
      for (const tail of tailsOf(place)) end(tail, 'gone')
    },

    publish(trace) {
      const told = tailsOf(trace).filter(
        ({ reader, filters }) => reader && passesFilters(trace, filters, random),
      )
      if (told.length === 0) return
      const event = tailEvent(trace)
      for (const { reader } of told) reader?.tell(event)
    },

    close() {
      for (const tail of byKey.values()) end(tail, 'closing')
    },
  }
}
