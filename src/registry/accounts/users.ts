import { newId } from '#store/id.ts'
import { type Store, statement } from '#store/store.ts'

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
