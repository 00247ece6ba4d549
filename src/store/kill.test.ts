import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { onBothEngines } from '#test/stores.ts'
import { statement } from './store.ts'

const KILLS = 5
const WORKERS = 16

// Commits from many workers at once and prints each id once it is acknowledged, to a file: a pipe could be full.
const script = (engine: string, place: string) => `
  import { writeSync } from 'node:fs'
  import { newId } from ${JSON.stringify(import.meta.resolve('./id.ts'))}
  import { statement } from ${JSON.stringify(import.meta.resolve('./store.ts'))}
  import * as open from ${JSON.stringify(import.meta.resolve(`./open-${engine}.ts`))}
  const place = ${JSON.stringify(place)}
  const store = await (open.openSqliteStore ?? open.openPostgresStore)({ directory: place, url: place })
  const account = statement('a', 'insert into account (id, name, sending_enabled, created_at) values ($1, $1, 1, {now})')
  const usage = statement('u', 'insert into quota_usage (account_id, day, recipients) values ($1, 1, 1)')
  for (let worker = 0; worker < ${WORKERS}; worker++) void (async () => {
    for (;;) {
      const id = newId()
      await store.commit([{ statement: account, params: [id], rows: 1 }, { statement: usage, params: [id], rows: 1 }])
      writeSync(1, id + '\\n')
    }
  })()`

const count = statement<{ accounts: number; usages: number }>(
  'count',
  'select (select count(*) from account) as accounts, (select count(*) from quota_usage) as usages',
)
const exists = statement('exists', 'select id from account where id = $1')

onBothEngines(
  `kill -9, ${KILLS} times: what was acknowledged is there, and no set is there in part`,
  async (_, open) => {
    await open.close()
    const acknowledged: string[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      const log = join(open.directory, `acknowledged-${kill}`)
      const file = openSync(log, 'w')
      const program = script(open.engine, open.url ?? open.directory)
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', file, 'inherit'],
      })
      const exited = once(child, 'exit')
      closeSync(file)
      while (statSync(log).size === 0 && child.exitCode === null) await sleep(5)
      await sleep(Math.random() * 200)
      child.kill('SIGKILL')
      assert.deepEqual(await exited, [null, 'SIGKILL'])
      acknowledged.push(...readFileSync(log, 'utf8').split('\n').slice(0, -1))
    }
    const store = await open.reopen()
    for (const id of acknowledged) assert.ok(await store.get(exists, [id]), `${id} was acknowledged`)
    const total = await store.get(count, [])
    assert.equal(total?.accounts, total?.usages)
    const unanswered = (total?.accounts ?? 0) - acknowledged.length
    assert.ok(unanswered <= KILLS * WORKERS, `${unanswered} committed without an answer`)
  },
)
