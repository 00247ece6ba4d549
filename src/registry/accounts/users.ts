import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'

const userOfKey = statement<{ readonly id: string }>(
  'user.of-key',
  'select id from service_user where email_key = $1',
)

const insertUser = statement(
  'user.insert',
  `insert into service_user (id, email, email_key, created_at) values ($1, $2, $3, $4)
   on conflict (email_key) do nothing`,
)

/** Somebody who is a member of accounts. */
export interface User {
  readonly id: string
  /** As its owner wrote it. */
  readonly email: string
  readonly createdAt: number
}

const userById = statement<{ readonly id: string; readonly email: string; readonly created_at: number }>(
  'user.by-id',
  'select id, email, created_at from service_user where id = $1',
)

export async function findUser(store: Store, userId: string): Promise<User | undefined> {
  const row = await store.get(userById, [userId])
  return row && { id: row.id, email: row.email, createdAt: row.created_at }
}

/** Makes a user, or finds the one of that address in any case. */
export async function createUser(
  { store, clock }: { readonly store: Store; readonly clock: () => number },
  email: string,
): Promise<{ readonly id: string }> {
  const key = email.toLowerCase()
  const existing = await store.get(userOfKey, [key])
  if (existing) return existing
  const id = newId()
  const made = await store.commit([{ statement: insertUser, params: [id, email, key, clock()], rows: 1 }])
  if (made.ok) return { id }
  const winner = await store.get(userOfKey, [key])
  if (!winner) throw new Error('a user exists and cannot be found')
  return winner
}

/** What signing in needs to know of a user. */
export interface Credited extends User {
  readonly operator: boolean
  /** Argon2id; undefined: nobody signs in as this user. */
  readonly password: string | undefined
}

interface CreditedRow {
  readonly id: string
  readonly email: string
  readonly created_at: number
  readonly operator: number
  readonly password: string | null
}

const CREDITED = 'select id, email, created_at, operator, password from service_user'
const creditedByEmail = statement<CreditedRow>('user.credited-by-email', `${CREDITED} where email_key = $1`)
const creditedById = statement<CreditedRow>('user.credited-by-id', `${CREDITED} where id = $1`)

/** By its address in any case. */
export async function creditedOfEmail(store: Store, email: string): Promise<Credited | undefined> {
  const row = await store.get(creditedByEmail, [email.toLowerCase()])
  return row && creditedOf(row)
}

export async function creditedOfId(store: Store, userId: string): Promise<Credited | undefined> {
  const row = await store.get(creditedById, [userId])
  return row && creditedOf(row)
}

function creditedOf(row: CreditedRow): Credited {
  const { id, email, created_at: createdAt, operator, password } = row
  return { id, email, createdAt, operator: operator === 1, password: password ?? undefined }
}

const insertWithPassword = statement(
  'user.insert-with-password',
  `insert into service_user (id, email, email_key, created_at, password) values ($1, $2, $3, $4, $5)
   on conflict (email_key) do nothing`,
)

/** A new user who can sign in; conflicts where there is one of that address meanwhile. */
export function newUserWrite(user: {
  readonly id: string
  readonly email: string
  /** Null: nobody signs in as this user yet. */
  readonly password: string | null
  readonly at: number
}): Write {
  const { id, email, password, at } = user
  return {
    statement: insertWithPassword,
    params: [id, email, email.toLowerCase(), at, password],
    rows: 1,
  }
}

const updatePassword = statement(
  'user.set-password',
  `update service_user set password = $2 where id = $1 and coalesce(password, '') = $3`,
)

/** Conflicts where it is no longer the one before: undefined where there was none. */
export function passwordWrite(userId: string, password: string, before: string | undefined): Write {
  return { statement: updatePassword, params: [userId, password, before ?? ''], rows: 1 }
}

const keepPassword = statement(
  'user.keep-password',
  'update service_user set password = password where id = $1 and password = $2',
)

/** Conflicts where it is no longer this one. Whoever changes it at the same time comes before or after, and then sees what
 *  this was committed with. */
export function passwordStands(userId: string, password: string): Write {
  return { statement: keepPassword, params: [userId, password], rows: 1 }
}

const updateOperator = statement('user.set-operator', 'update service_user set operator = $2 where id = $1')

export function operatorWrite(userId: string, operator: boolean): Write {
  return { statement: updateOperator, params: [userId, operator ? 1 : 0], rows: 1 }
}
