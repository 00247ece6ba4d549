import { type Store, StoreFull, statement } from '#store/store.ts'

/** Fills a store that was opened with `maxPages` until not even the smallest row fits. */
export async function fillStore(store: Store): Promise<void> {
  for (let size = 1_000_000; size >= 1; size = Math.floor(size / 4)) while (await fits(store, size)) continue
}

/** Makes the room again. */
export async function unfillStore(store: Store): Promise<void> {
  await store.commit([{ statement: empty, params: [] }])
}

async function fits(store: Store, size: number): Promise<boolean> {
  try {
    await store.commit([{ statement: filler, params: [String(serial++), 'x'.repeat(size)] }])
    return true
  } catch (error) {
    if (error instanceof StoreFull) return false
    throw error
  }
}

let serial = 0
const filler = statement(
  'test.full-store',
  `insert into event (id, at, account_id, type, terminal, detail) values ($1, 0, 'filler', 'dropped', 0, $2)`,
)
const empty = statement('test.empty-store', `delete from event where account_id = 'filler'`)
