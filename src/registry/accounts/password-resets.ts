import { randomBytes } from 'node:crypto'
import { type Store, statement, type Write } from '#store/store.ts'
import { hashSecret, sameHash } from './token-secret.ts'

/** Links by which people choose a new password. In: a user. Out: the token of a link, and whose it is.
 *  Promise: of the token only a hash is kept; it works once and for an hour, and stops with the next one, and with every
 *  change of the password; and nobody's mailbox is filled by whoever asks, however many processes they ask. */
export interface PasswordResets {
  /** A new link; those before work no longer. `also` is committed with it, its mail among it. False, and nothing is
   *  written, where the user had so many mails lately that the next has to wait. */
  make(userId: string, token: string, also: readonly Write[]): Promise<boolean>
  /** By the token of its link; undefined once that works no longer. */
  find(token: string): Promise<PasswordReset | undefined>
  /** The write that ends the link, for the commit of what it was for, and first in it: who locks a user's link and then
   *  the user meets nobody who does the reverse. Conflicts where the link works no longer. */
  used(reset: PasswordReset): Write
  /** The write that ends the user's link, if there is one; first, too. */
  voided(userId: string): Write
}

export interface PasswordReset {
  readonly userId: string
  /** The user's, as it was written. */
  readonly email: string
  readonly hash: string
  /** Milliseconds. */
  readonly expiresAt: number
}

export const PASSWORD_RESET_LIFE_MS = 3_600_000
/** After the first few mails one in the time that a link lives: so whoever makes the service send them leaves their reader
 *  with a link that works, and not with a mailbox full of them. */
const REST_MS = PASSWORD_RESET_LIFE_MS
const AT_ONCE = 3
const AHEAD_MS = (AT_ONCE - 1) * REST_MS

/** 256 bits. */
export function newResetToken(): string {
  return randomBytes(32).toString('base64url')
}

const removeRested = statement(
  'password-reset.remove-rested',
  'delete from password_reset where rested_at <= $1',
)

// A clock that stepped back begins anew, too.
const insertReset = statement(
  'password-reset.insert',
  `insert into password_reset (user_id, hash, expires_at, rested_at)
   values ($1, $2, $3, $4)
   on conflict (user_id) do update set hash = excluded.hash, expires_at = excluded.expires_at,
     rested_at = case when password_reset.rested_at > $6 then excluded.rested_at
       else password_reset.rested_at + ${REST_MS} end
   where password_reset.rested_at <= $5 or password_reset.rested_at > $6`,
)

const byHash = statement<{
  readonly user_id: string
  readonly email: string
  readonly hash: string
  readonly expires_at: number
}>(
  'password-reset.by-hash',
  `select password_reset.user_id, password_reset.hash, password_reset.expires_at, service_user.email
   from password_reset join service_user on service_user.id = password_reset.user_id
   where password_reset.hash = $1 and password_reset.expires_at > $2`,
)

const useReset = statement(
  'password-reset.use',
  'update password_reset set hash = null where user_id = $1 and hash = $2 and expires_at > $3',
)

const voidReset = statement(
  'password-reset.void',
  'update password_reset set hash = null where user_id = $1 and hash is not null',
)

export function openPasswordResets({
  store,
  clock,
}: {
  readonly store: Store
  readonly clock: () => number
}): PasswordResets {
  return {
    async make(userId, token, also) {
      const now = clock()
      const made = await store.commit([
        // What has rested has no link any more: one lives no longer than that takes.
        { statement: removeRested, params: [now] },
        { statement: insertReset, params: [userId, hashSecret(token), ...times(now)], rows: 1 },
        ...also,
      ])
      return made.ok
    },

    async find(token) {
      const hash = hashSecret(token)
      const row = await store.get(byHash, [hash, clock()])
      if (!row || !sameHash(row.hash, hash)) return undefined
      return { userId: row.user_id, email: row.email, hash, expiresAt: row.expires_at }
    },

    used: ({ userId, hash }) => ({ statement: useReset, params: [userId, hash, clock()], rows: 1 }),
    voided: (userId) => ({ statement: voidReset, params: [userId] }),
  }
}

/** When the link expires, when its mail has been rested from, up to where that may be for the next, and past which it is
 *  of another clock. */
function times(now: number): readonly number[] {
  return [now + PASSWORD_RESET_LIFE_MS, now + REST_MS, now + AHEAD_MS, now + AHEAD_MS + REST_MS]
}
