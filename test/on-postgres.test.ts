import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { startInstance } from '#test/instance.ts'
import { newDatabase } from '#test/stores.ts'

/** The same instance over PostgreSQL: one variable, same behaviour. */
const mail = (to: string) => ({ to, from: 'app@yourdomain.com', subject: to, text: 'x' })

test('POSTHORN_DATABASE_URL: a message arrives, large ones too, and a restart finds everything', async () => {
  await using instance = await startInstance({ POSTHORN_DATABASE_URL: await newDatabase() })
  assert.deepEqual((await instance.send(mail('pg@example.com'))).body.result?.delivered, ['pg@example.com'])
  const content = Buffer.alloc(3 * 1_048_576, 7).toString('base64')
  const attachments = [
    { content, filename: 'b', type: 'application/octet-stream', disposition: 'attachment' },
  ]
  const large = await instance.send({ ...mail('large@example.com'), attachments })
  assert.equal(large.body.result?.delivered.length, 1)
  const { account_id, api_token } = instance.dev
  await instance.restart()
  assert.deepEqual([instance.dev.account_id, instance.dev.api_token], [account_id, api_token])
  assert.equal((await instance.inbox('to:pg@example.com')).length, 1)
})

test('promise 3: what a killed node had claimed is delivered once it has missed its heartbeat', {
  timeout: 90_000,
}, async () => {
  const url = await newDatabase()
  await using instance = await startInstance({ POSTHORN_DATABASE_URL: url, POSTHORN_SEND_WAIT_MS: '0' })
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => instance.send(mail(`slow+${i}@simulator.posthorn.test`))),
  )
  await instance.kill()
  await instance.restart()
  assert.equal((await instance.inbox('simulator.posthorn.test', 20)).length >= 20, true)
  await sleep(500)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const open = await client.query(
    `select count(*)::int as n from delivery where state in ('waiting', 'claimed')`,
  )
  await client.end()
  assert.equal(open.rows[0].n, 0)
})
