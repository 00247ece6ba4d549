import { randomUUID } from 'node:crypto'
import { type Store, statement } from '#store/store.ts'
import { due } from './due-sql.ts'

/** Who may tell one listener: one process at a time. */
export interface Leases {
  /** Undefined where another process has it, or where it is gone. */
  take(id: string): Promise<Lease | undefined>
  /** For the start of the only process that a store has: whoever leased before is gone (promise 3). */
  voidAll(): Promise<void>
}

/** Ends by itself `leaseMs` after it was taken or renewed, and when it is disposed of. */
export interface Lease extends AsyncDisposable {
  /** False where it had ended, and may be another's. */
  renew(): Promise<boolean>
}

/** Over the columns `lease` and `leased_until` of a table. */
function leaseStatements(table: 'webhook' | 'event_subscription') {
  const name = table.replace('_', '-')
  return {
    take: statement(
      `${name}.take`,
      `update ${table} set lease = $2, leased_until = {now} + $3 where id = $1 and ${due('leased_until')}`,
    ),
    renew: statement(
      `${name}.renew`,
      `update ${table} set leased_until = {now} + $3 where id = $1 and lease = $2`,
    ),
    giveBack: statement(
      `${name}.give-back`,
      `update ${table} set lease = null, leased_until = 0 where id = $1 and lease = $2`,
    ),
    voidAll: statement(
      `${name}.void-leases`,
      `update ${table} set lease = null, leased_until = 0 where lease is not null`,
    ),
  }
}

const STATEMENTS = {
  webhook: leaseStatements('webhook'),
  event_subscription: leaseStatements('event_subscription'),
} as const

export function openLeases(store: Store, table: keyof typeof STATEMENTS, leaseMs: number): Leases {
  const { take, renew, giveBack, voidAll } = STATEMENTS[table]
  return {
    async take(id) {
      const lease = randomUUID()
      const taken = await store.commit([{ statement: take, params: [id, lease, leaseMs], rows: 1 }])
      if (!taken.ok) return undefined
      return {
        async renew() {
          const set = [{ statement: renew, params: [id, lease, leaseMs], rows: 1 }]
          return (await store.commit(set)).ok
        },
        async [Symbol.asyncDispose]() {
          await store.commit([{ statement: giveBack, params: [id, lease] }])
        },
      }
    },
    async voidAll() {
      await store.commit([{ statement: voidAll, params: [] }])
    },
  }
}
