import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { checkedFetch } from '#test/checked-fetch.ts'
import { startInstance } from '#test/instance.ts'
import { addSecondAccount } from '#test/second-account.ts'

test('data points are asked for over HTTP, by whoever may read analytics', async () => {
  await using instance = await startInstance()
  const { api, account_id, api_token } = instance.dev
  const db = new DatabaseSync(join(instance.directory, 'posthorn.sqlite'))
  db.exec('pragma busy_timeout = 5000')
  const insert = db.prepare(
    `insert into data_point (account_id, dataset, at, point) values (?, 'mail', ?, ?)`,
  )
  const point = { indexes: [], blobs: ['in'], doubles: [2] }
  for (let count = 0; count < 3; count++) insert.run(account_id, Date.now(), JSON.stringify(point))
  db.close()
  const ask = async (sql: string, token = api_token) => {
    const response = await checkedFetch(`${api}/accounts/${account_id}/analytics_engine/sql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: sql,
    })
    return { status: response.status, answer: JSON.parse(await response.text()) }
  }
  const counted =
    "SELECT blob1 AS way, sum(double1) AS n FROM mail WHERE timestamp > NOW() - INTERVAL '1' DAY GROUP BY way"
  assert.deepEqual(await ask(counted), {
    status: 200,
    answer: {
      meta: [
        { name: 'way', type: 'String' },
        { name: 'n', type: 'Float64' },
      ],
      data: [{ way: 'in', n: 6 }],
      rows: 1,
    },
  })
  const wrong = await ask('SELECT blob1')
  assert.equal(wrong.status, 400)
  assert.match(wrong.answer.errors[0].error_chain[0].message, /should have FROM where it ends/)
  const { token } = addSecondAccount(instance.directory, ['Analytics:Read'])
  assert.equal((await ask(counted, token)).status, 404)
})
