import { LRUCache } from 'lru-cache'
import type { HistoryEngine } from './history-engine.ts'

const MOST_ACCOUNTS = 10_000

/** Numbers of accounts, which never change, and which days there are. */
export interface HistoryIndex {
  /** Undefined where history has nothing of it. */
  account(accountId: string): Promise<number | undefined>
  /** Days that have tables, as 20261121, oldest first. */
  days(): Promise<readonly number[]>
}

export function openHistoryIndex(engine: HistoryEngine): HistoryIndex {
  const accounts = new LRUCache<string, number>({ max: MOST_ACCOUNTS })
  return {
    async account(accountId) {
      const known = accounts.get(accountId)
      if (known !== undefined) return known
      const sql = 'select id from history_account where account_id = $1'
      const [row] = await engine.read('rows', sql, [accountId])
      if (!row) return undefined
      accounts.set(accountId, Number(row['id']))
      return Number(row['id'])
    },
    async days() {
      const rows = await engine.read('rows', 'select day from history_day order by day', [])
      return rows.map(({ day }) => Number(day))
    },
  }
}
