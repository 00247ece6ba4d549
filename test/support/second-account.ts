import { hash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export interface SecondAccount {
  readonly accountId: string
  readonly token: string
}

/** Another customer of the same instance, written straight into its store: no API makes accounts yet. */
export function addSecondAccount(directory: string, permissions: readonly string[]): SecondAccount {
  const db = new DatabaseSync(join(directory, 'posthorn.sqlite'))
  try {
    const accountId = randomBytes(16).toString('hex')
    const token = randomBytes(30).toString('base64url')
    db.exec('pragma busy_timeout = 5000')
    db.prepare('insert into account (id, name, sending_enabled, created_at) values (?, ?, 1, ?)').run(
      accountId,
      'Second',
      Date.now(),
    )
    db.prepare(
      `insert into token (id, account_id, name, hash, permissions, status, created_at) values (?, ?, 'second', ?, ?, 'active', ?)`,
    ).run(
      randomBytes(16).toString('hex'),
      accountId,
      hash('sha256', token),
      JSON.stringify(permissions),
      Date.now(),
    )
    return { accountId, token }
  } finally {
    db.close()
  }
}
