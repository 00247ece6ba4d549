import type { Log } from '#observe/log.ts'
import { newId } from '#store/id.ts'
import { type Store, statement } from '#store/store.ts'

/** `domain`: a recipient domain, of which nothing is claimed. `host`: an MX host, at which nothing is attempted. */
export type PauseKind = 'domain' | 'host'

export interface Pause {
  readonly kind: PauseKind
  /** In lower-case A-labels. */
  readonly name: string
  readonly reason: string
  /** Ends by itself then, ms; null, when it is resumed. */
  readonly until: number | null
  readonly createdAt: number
}

/** What an operator has paused. In: orders to pause and to resume, which are rows. Out: answers from memory. Promise:
 *  what this process was told holds at once, what another process was told within a second or two; one whose time is
 *  over does not count. A store that cannot be read leaves what was known. */
export interface Pauses {
  domain(name: string): boolean
  host(name: string): boolean
  /** All that count now, in order of kind and name. */
  list(): readonly Pause[]
  /** Pauses, or changes the pause that there is. */
  pause(kind: PauseKind, name: string, reason: string, until?: number): Promise<Pause>
  /** False where there was none. */
  resume(kind: PauseKind, name: string): Promise<boolean>
  /** Called after each `resume` of this process. */
  onResume(listener: () => void): void
  /** Resolves when a refresh in progress has ended. */
  close(): Promise<void>
}

const REFRESH_MS = 1000

export async function openPauses(options: {
  readonly store: Store
  readonly log: Log
  readonly now: () => number
}): Promise<Pauses> {
  const { store, log, now } = options
  const listeners: (() => void)[] = []
  let known = byName(await store.all(everyPause, []))
  /** Counts this process's changes: what was read while one was made may not have it. */
  let changes = 0
  let refreshing: Promise<void> | undefined
  const timer = setInterval(() => {
    refreshing ??= refresh().finally(() => {
      refreshing = undefined
    })
  }, REFRESH_MS)

  async function refresh(): Promise<void> {
    const before = changes
    try {
      const rows = await store.all(everyPause, [])
      if (changes === before) known = byName(rows)
    } catch (error) {
      log.warn({ err: error }, 'queue: the pauses could not be read again')
    }
  }

  function isPaused(kind: PauseKind, name: string): boolean {
    const pause = known.get(keyOf(kind, name))
    return pause !== undefined && counts(pause)
  }

  function counts({ until }: Pause): boolean {
    return until === null || until > now()
  }

  return {
    domain: (name) => isPaused('domain', name),
    host: (name) => isPaused('host', name),
    list: () => [...known.values()].filter(counts).toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1)),
    async pause(kind, name, reason, until) {
      const pause = { kind, name, reason, until: until ?? null, createdAt: now() }
      await store.commit([
        { statement: dropOver, params: [now()] },
        { statement: upsert, params: [newId(), kind, name, reason, pause.until, pause.createdAt], rows: 1 },
      ])
      changes++
      known.set(keyOf(kind, name), pause)
      return pause
    },
    async resume(kind, name) {
      const there = isPaused(kind, name)
      const result = await store.commit([{ statement: drop, params: [kind, name] }])
      changes++
      known.delete(keyOf(kind, name))
      for (const listener of listeners) listener()
      // Another process may have paused it a moment ago.
      return there || (result.ok && (result.rows[0]?.length ?? 0) > 0)
    },
    onResume: (listener) => void listeners.push(listener),
    async close() {
      clearInterval(timer)
      await refreshing
    },
  }
}

function byName(rows: readonly PauseRow[]): Map<string, Pause> {
  return new Map(
    rows.map(({ created_at: createdAt, ...row }) => [keyOf(row.kind, row.name), { ...row, createdAt }]),
  )
}

function keyOf(kind: PauseKind, name: string): string {
  return `${kind} ${name}`
}

function sortKey({ kind, name }: Pause): string {
  return keyOf(kind, name)
}

interface PauseRow extends Omit<Pause, 'createdAt'> {
  readonly created_at: number
}

const everyPause = statement<PauseRow>(
  'queue.pauses',
  'select kind, name, reason, until, created_at from pause',
)
const dropOver = statement('queue.pause-over', 'delete from pause where until is not null and until <= $1')
const upsert = statement(
  'queue.pause',
  `insert into pause (id, kind, name, reason, until, created_at) values ($1, $2, $3, $4, $5, $6)
   on conflict (kind, name) do update
     set reason = excluded.reason, until = excluded.until, created_at = excluded.created_at`,
)
const drop = statement<{ id: string }>(
  'queue.resume',
  'delete from pause where kind = $1 and name = $2 returning id',
)
