import { randomBytes } from 'node:crypto'
import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import type { Role } from './members.ts'
import { hashSecret, sameHash } from './token-secret.ts'

/** Who is invited to become a member of an account. In: an address of mail. Out: the token of a link.
 *  Promise: of the token only a hash is kept; it works once and for seven days, and stops when the address is invited
 *  again or the invitation is taken back. */
export interface Invitations {
  /** In place of one that the address has. `also` is committed with it. */
  invite(
    accountId: string,
    wish: { readonly email: string; readonly role: Role },
    also: (invitation: Invitation, token: string) => Promise<readonly Write[]>,
  ): Promise<{ readonly invitation: Invitation; readonly token: string }>
  /** By the token of its link; undefined once it has ended. */
  find(token: string): Promise<(Invitation & { readonly accountName: string }) | undefined>
  /** Those of an account that have not expired, the oldest first. */
  list(accountId: string): Promise<readonly Invitation[]>
  get(accountId: string, id: string): Promise<Invitation | undefined>
  /** False where there is none any more. */
  setRole(accountId: string, id: string, role: Role, also: readonly Write[]): Promise<boolean>
  withdraw(accountId: string, id: string, also: readonly Write[]): Promise<boolean>
  /** The write that ends it, for the commit of what it was for; conflicts where somebody else was faster. */
  used(invitation: Invitation): Write
}

export interface Invitation {
  readonly id: string
  readonly accountId: string
  /** As it was written. */
  readonly email: string
  readonly role: Role
  /** Milliseconds, both. */
  readonly createdAt: number
  readonly expiresAt: number
}

export const INVITATION_LIFE_MS = 7 * 86_400_000

interface Row {
  readonly id: string
  readonly account_id: string
  readonly email: string
  readonly role: string
  readonly hash: string
  readonly created_at: number
  readonly expires_at: number
}

const COLUMNS = `invitation.id, invitation.account_id, invitation.email, invitation.role, invitation.hash,
  invitation.created_at, invitation.expires_at`

const removeExpired = statement('invitation.remove-expired', 'delete from invitation where expires_at <= $1')
// In place of the one before, also of one that is made at the same time.
const insertInvitation = statement(
  'invitation.insert',
  `insert into invitation (id, account_id, email, email_key, role, hash, created_at, expires_at)
   values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (account_id, email_key) do update set id = excluded.id,
     email = excluded.email, role = excluded.role, hash = excluded.hash, created_at = excluded.created_at,
     expires_at = excluded.expires_at`,
)
const byHash = statement<Row & { readonly account_name: string }>(
  'invitation.by-hash',
  `select ${COLUMNS}, account.name as account_name
   from invitation join account on account.id = invitation.account_id
   where invitation.hash = $1 and invitation.expires_at > $2`,
)
const ofAccount = statement<Row>(
  'invitation.of-account',
  `select ${COLUMNS} from invitation where account_id = $1 and expires_at > $2 order by created_at, id`,
)
const byId = statement<Row>(
  'invitation.by-id',
  `select ${COLUMNS} from invitation where account_id = $1 and id = $2 and expires_at > $3`,
)
const updateRole = statement(
  'invitation.set-role',
  'update invitation set role = $3 where account_id = $1 and id = $2',
)
const remove = statement('invitation.remove', 'delete from invitation where account_id = $1 and id = $2')

const removeAsIs = statement(
  'invitation.use',
  'delete from invitation where account_id = $1 and id = $2 and role = $3',
)

export function openInvitations({
  store,
  clock,
}: {
  readonly store: Store
  readonly clock: () => number
}): Invitations {
  return {
    async invite(accountId, { email, role }, also) {
      const token = randomBytes(32).toString('base64url')
      const createdAt = clock()
      const expiresAt = createdAt + INVITATION_LIFE_MS
      const invitation = { id: newId(), accountId, email, role, createdAt, expiresAt }
      const key = email.toLowerCase()
      const params = [invitation.id, accountId, email, key, role, hashSecret(token), createdAt, expiresAt]
      const committed = await store.commit([
        { statement: removeExpired, params: [createdAt] },
        { statement: insertInvitation, params },
        ...(await also(invitation, token)),
      ])
      if (!committed.ok) throw new Error(`${committed.conflict} conflicted on an invitation`)
      return { invitation, token }
    },

    async find(token) {
      const hash = hashSecret(token)
      const row = await store.get(byHash, [hash, clock()])
      return row && sameHash(row.hash, hash)
        ? { ...invitationOf(row), accountName: row.account_name }
        : undefined
    },

    async list(accountId) {
      return (await store.all(ofAccount, [accountId, clock()])).map(invitationOf)
    },

    async get(accountId, id) {
      const row = await store.get(byId, [accountId, id, clock()])
      return row && invitationOf(row)
    },

    async setRole(accountId, id, role, also) {
      const params = [accountId, id, role]
      return (await store.commit([{ statement: updateRole, params, rows: 1 }, ...also])).ok
    },

    async withdraw(accountId, id, also) {
      const params = [accountId, id]
      return (await store.commit([{ statement: remove, params, rows: 1 }, ...also])).ok
    },

    used: ({ accountId, id, role }) => ({ statement: removeAsIs, params: [accountId, id, role], rows: 1 }),
  }
}

function invitationOf(row: Row): Invitation {
  return {
    id: row.id,
    accountId: row.account_id,
    email: row.email,
    role: row.role === 'admin' ? 'admin' : 'member',
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  }
}
