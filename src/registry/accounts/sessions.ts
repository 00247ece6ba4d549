import { createHmac, randomBytes } from 'node:crypto'
import { newId } from '#store/id.ts'
import { type Store, StoreFull, statement, type Write } from '#store/store.ts'
import { foundCache } from './found-cache.ts'
import { hashSecret, sameHash } from './token-secret.ts'

/** Sessions of people who are signed in. In: the secret of a cookie. Out: whose it is.
 *  Promise: of the secret only a hash is kept, and every session has one of its own that nobody chose for it; it ends by
 *  itself 30 days after it began and 7 days after it was used last, or once its user has a hundred that were used later.
 *  What this process ends stops at once, what another
 *  process does within 5 s. */
export interface Sessions {
  /** `instead`: the secret of one that it takes the place of. Undefined where a write of `also` conflicts. */
  begin(wish: NewSession, also: Also): Promise<{ readonly secret: string; readonly id: string } | undefined>
  /** Rejects when the store cannot be reached. */
  find(secret: string): Promise<Session | undefined>
  /** The same session as it stands now, by the hash of its secret. */
  current(hash: string): Promise<Session | undefined>
  /** Those that have not ended, the latest used first. */
  list(userId: string): Promise<readonly SessionRecord[]>
  /** False where the user has no such session. */
  end(userId: string, sessionId: string, also: Also): Promise<boolean>
  /** Ends all of the user's but `keep`, with `also` in one commit, which comes first in it: whoever begins one by what
   *  `also` takes away begins it before, and then it ends, or does not. False where a write of `also` conflicts, and then
   *  nothing has ended. */
  endAll(userId: string, keep: string | undefined, also: readonly Write[]): Promise<boolean>
  /** What is known of the user has changed. */
  forgetUser(userId: string): Promise<void>
}

/** From where somebody asks. */
export interface Client {
  readonly address: string
  readonly userAgent: string
}

export interface NewSession {
  readonly userId: string
  readonly client: Client
  readonly instead: string | undefined
}

/** Writes for the commit that begins or ends a session. */
export type Also = (sessionId: string) => readonly Write[]

export interface Session {
  readonly id: string
  /** SHA-256 of its secret. */
  readonly hash: string
  readonly userId: string
  readonly email: string
  readonly operator: boolean
}

/** Times in milliseconds. */
export interface SessionRecord extends Client {
  readonly id: string
  readonly createdAt: number
  /** To five minutes. */
  readonly lastUsedAt: number
  readonly expiresAt: number
}

const LIFE_MS = 30 * 86_400_000
const IDLE_MS = 7 * 86_400_000
/** So often at most that a session is used is written down. */
const TOUCH_MS = 5 * 60_000
const SESSIONS_KEPT = 10_000
/** Of one user; past that the one used longest ago ends. */
const MOST_OF_USER = 100
const LONGEST_AGENT = 300

interface KnownRow {
  readonly id: string
  readonly hash: string
  readonly user_id: string
  readonly email: string
  readonly operator: number
  readonly last_used_at: number
  readonly expires_at: number
}

const sessionByHash = statement<KnownRow>(
  'session.by-hash',
  `select session.id, session.hash, session.user_id, session.last_used_at, session.expires_at, service_user.email,
     service_user.operator
   from session join service_user on service_user.id = session.user_id where session.hash = $1`,
)

const insertSession = statement(
  'session.insert',
  `insert into session (id, user_id, hash, created_at, last_used_at, expires_at, address, user_agent)
   values ($1, $2, $3, $4, $4, $5, $6, $7)`,
)

const touchSession = statement(
  'session.touch',
  'update session set last_used_at = $2 where id = $1 and last_used_at < $2',
)

interface ListedRow {
  readonly id: string
  readonly hash: string
  readonly created_at: number
  readonly last_used_at: number
  readonly expires_at: number
  readonly address: string
  readonly user_agent: string
}

const sessionsOf = statement<ListedRow>(
  'session.of-user',
  `select id, hash, created_at, last_used_at, expires_at, address, user_agent from session
   where user_id = $1 order by last_used_at desc, id desc`,
)

const sessionById = statement<{ readonly hash: string }>(
  'session.by-id',
  'select hash from session where user_id = $1 and id = $2',
)

const deleteSession = statement('session.delete', 'delete from session where user_id = $1 and id = $2')
const deleteByHash = statement('session.delete-by-hash', 'delete from session where hash = $1')
const deleteOthers = statement<{ readonly hash: string }>(
  'session.delete-others',
  'delete from session where user_id = $1 and id <> $2 returning hash',
)
const deleteExpired = statement(
  'session.delete-expired',
  'delete from session where expires_at <= $1 or last_used_at <= $2',
)

const deleteOldest = statement<{ readonly hash: string }>(
  'session.delete-oldest',
  `delete from session where user_id = $1 and id not in (select id from session where user_id = $1
   order by last_used_at desc, id desc limit ${MOST_OF_USER - 1}) returning hash`,
)

interface Known {
  readonly session: Session
  lastUsedAt: number
  readonly expiresAt: number
}

export function openSessions({
  store,
  clock,
}: {
  readonly store: Store
  readonly clock: () => number
}): Sessions {
  // Keyed by hash, so that no secret stays in memory.
  const known = foundCache<Known>({ max: SESSIONS_KEPT, clock })

  async function read(hash: string): Promise<Known | undefined> {
    const row = await store.get(sessionByHash, [hash])
    if (!row || !sameHash(row.hash, hash)) return undefined
    const { id, user_id: userId, email } = row
    return {
      session: { id, hash, userId, email, operator: row.operator === 1 },
      ...{ lastUsedAt: row.last_used_at, expiresAt: row.expires_at },
    }
  }

  async function touch(id: string, now: number): Promise<void> {
    try {
      await store.commit([{ statement: touchSession, params: [id, now] }])
    } catch (error) {
      // Whoever makes room on the disk needs the session for that.
      if (!(error instanceof StoreFull)) throw error
    }
  }

  async function current(hash: string): Promise<Session | undefined> {
    const found = await known.get(hash, () => read(hash))
    const now = clock()
    if (!found || now >= found.expiresAt || now >= found.lastUsedAt + IDLE_MS) return undefined
    if (now >= found.lastUsedAt + TOUCH_MS) {
      // Whoever else asks meanwhile does not write it down as well.
      found.lastUsedAt = now
      await touch(found.session.id, now)
    }
    return found.session
  }

  const isLiving = (row: ListedRow) => {
    const now = clock()
    return now < row.expires_at && now < row.last_used_at + IDLE_MS
  }

  return {
    async begin({ userId, client, instead }, also) {
      const secret = randomBytes(32).toString('base64url')
      const id = newId()
      const now = clock()
      const agent = client.userAgent.replaceAll('\0', '').slice(0, LONGEST_AGENT).toWellFormed()
      const params = [id, userId, hashSecret(secret), now, now + LIFE_MS, client.address, agent]
      const before = instead === undefined ? undefined : hashSecret(instead)
      try {
        const begun = await store.commit([
          { statement: deleteExpired, params: [now, now - IDLE_MS] },
          { statement: deleteByHash, params: [before ?? ''] },
          { statement: deleteOldest, params: [userId] },
          { statement: insertSession, params },
          ...also(id),
        ])
        if (!begun.ok) return undefined
        // Returned by deleteOldest.
        for (const { hash } of begun.rows[2] as readonly { readonly hash: string }[]) known.forget(hash)
        return { secret, id }
      } finally {
        if (before !== undefined) known.forget(before)
      }
    },

    find: (secret) => current(hashSecret(secret)),
    current,

    async list(userId) {
      const rows = await store.all(sessionsOf, [userId])
      return rows.filter(isLiving).map((row) => ({
        id: row.id,
        createdAt: row.created_at,
        lastUsedAt: row.last_used_at,
        expiresAt: row.expires_at,
        address: row.address,
        userAgent: row.user_agent,
      }))
    },

    async end(userId, sessionId, also) {
      const found = await store.get(sessionById, [userId, sessionId])
      if (!found) return false
      try {
        const removed = await store.commit([
          { statement: deleteSession, params: [userId, sessionId], rows: 1 },
          ...also(sessionId),
        ])
        return removed.ok
      } finally {
        // Also where the commit's answer was lost: it may have been made.
        known.forget(found.hash)
      }
    },

    async endAll(userId, keep, also) {
      const rows = await store.all(sessionsOf, [userId])
      try {
        const ended = await store.commit([...also, { statement: deleteOthers, params: [userId, keep ?? ''] }])
        if (!ended.ok) return false
        // One that began in between, too.
        for (const { hash } of ended.rows.at(-1) as readonly { readonly hash: string }[]) known.forget(hash)
        return true
      } finally {
        // Also where the commit's answer was lost: it may have been made.
        for (const { id, hash } of rows) if (id !== keep) known.forget(hash)
      }
    },

    async forgetUser(userId) {
      for (const { hash } of await store.all(sessionsOf, [userId])) known.forget(hash)
    },
  }
}

/** What a page that has the session can say and no other page can: made of the cookie's secret, which it cannot be
 *  turned back into. */
export function csrfTokenOf(secret: string): string {
  return createHmac('sha256', secret).update('csrf').digest('base64url')
}
