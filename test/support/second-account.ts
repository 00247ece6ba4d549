import { hash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export interface SecondAccount {
  readonly accountId: string
  readonly token: string
}

/** Another customer of the same instance, written straight into its store: no API makes accounts yet. */
export function addSecondAccount(directory: string, permissions: readonly string[]): SecondAccount {
  using db = openDatabase(directory)
  const accountId = newId()
  db.prepare('insert into account (id, name, sending_enabled, created_at) values (?, ?, 1, ?)').run(
    accountId,
    'Second',
    Date.now(),
  )
  const token = addToken(db, { accountId, userId: null, permissions, status: 'active' })
  return { accountId, token }
}

/** A token of the account's own, written straight into the store: the API lets no token make one that may do more. */
export function addAccountToken(
  directory: string,
  accountId: string,
  permissions: readonly string[],
): string {
  using db = openDatabase(directory)
  return addToken(db, { accountId, userId: null, permissions, status: 'active' })
}

/** The token of a new user who administers these accounts, or is a member of them, written straight into the store like
 *  them. */
export function addUserToken(
  directory: string,
  accountIds: readonly string[],
  {
    role = 'admin',
    ...options
  }: {
    readonly permissions: readonly string[]
    readonly status?: 'active' | 'revoked'
    readonly role?: 'admin' | 'member'
  },
): string {
  using db = openDatabase(directory)
  const userId = newId()
  const email = `${userId}@example.com`
  db.prepare('insert into service_user (id, email, email_key, created_at) values (?, ?, ?, ?)').run(
    userId,
    email,
    email,
    Date.now(),
  )
  const addMember = db.prepare(
    `insert into membership (id, user_id, account_id, role, created_at) values (?, ?, ?, ?, ?)`,
  )
  for (const accountId of accountIds) addMember.run(newId(), userId, accountId, role, Date.now())
  return addToken(db, { accountId: null, userId, status: 'active', ...options })
}

function addToken(
  db: DatabaseSync,
  token: {
    readonly accountId: string | null
    readonly userId: string | null
    readonly permissions: readonly string[]
    readonly status: string
  },
): string {
  const secret = randomBytes(30).toString('base64url')
  db.prepare(
    `insert into token (id, account_id, user_id, name, hash, permissions, status, created_at)
     values (?, ?, ?, 'second', ?, ?, ?, ?)`,
  ).run(
    newId(),
    token.accountId,
    token.userId,
    hash('sha256', secret),
    JSON.stringify(token.permissions),
    token.status,
    Date.now(),
  )
  return secret
}

function openDatabase(directory: string): DatabaseSync {
  return new DatabaseSync(join(directory, 'posthorn.sqlite'), { timeout: 5000 })
}

function newId(): string {
  return randomBytes(16).toString('hex')
}
