import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { deployWorker } from '#test/deploy-worker.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { openWrangler, type Wrangler } from '#test/wrangler.ts'

/** `wrangler queues …`, as it asks the API (clients.md §3.4). */
let instance: Instance
let wrangler: Wrangler

before(async () => {
  instance = await startInstance()
  wrangler = await openWrangler(instance)
})
after(async () => {
  await wrangler[Symbol.asyncDispose]()
  await instance[Symbol.asyncDispose]()
})

const info = () => wrangler.prints('queues info mail-events')

test('create, list and info', async () => {
  const delayed = '--delivery-delay-secs 5 --message-retention-period-secs 3600'
  assert.match(await wrangler.prints(`queues create mail-events ${delayed}`), /Created queue 'mail-events'/)
  assert.match(await wrangler.refuses('queues create mail-events'), /already taken.*\[code: 11009\]/)
  assert.match(await wrangler.prints('queues list'), /│ <id> │ mail-events │ <time> │ <time> │ 0 │ 0 │/)
  assert.equal(
    await info(),
    [
      'Queue Name: mail-events',
      'Queue ID: <id>',
      'Created On: <time>',
      'Last Modified: <time>',
      'Number of Producers: 0',
      'Number of Consumers: 0',
    ].join('\n'),
  )
  assert.match(await wrangler.refuses('queues info none'), /Queue "none" does not exist/)
})

test('consumer add, list and remove', async () => {
  const settings =
    '--batch-size 5 --batch-timeout 2 --message-retries 1 --dead-letter-queue mail-dlq --max-concurrency 2 --retry-delay-secs 7'
  const nobody = /This account has no Worker "email-worker"; deploy it first\./
  assert.match(await wrangler.refuses('queues consumer add mail-events email-worker'), nobody)
  for (const name of ['email-worker', 'other-worker']) await deployWorker(instance, name)
  await wrangler.prints(`queues consumer add mail-events email-worker ${settings}`)
  assert.match(await info(), /Number of Consumers: 1\nConsumers: worker:email-worker/)
  assert.match(
    await wrangler.prints('queues consumer worker list mail-events'),
    /│ <id> │ email-worker │ mail-dlq │ 5 │ 1 │ 2000 │ 2 │ 7 │/,
  )
  assert.match(await wrangler.prints('queues list'), /│ mail-dlq │/)
  assert.match(
    await wrangler.refuses('queues consumer add mail-events other-worker'),
    /Queue already has a consumer \[code: 11004\]/,
  )
  const bindings = [{ type: 'queue', name: 'Q', queue_name: 'mail-events' }]
  await deployWorker(instance, 'other-worker', { metadata: { bindings } })
  assert.match(await wrangler.prints('queues list'), /│ mail-events │ <time> │ <time> │ 1 │ 1 │/)
  assert.match(await info(), /Number of Producers: 1\nProducers: worker:other-worker/)
  await wrangler.prints('queues consumer remove mail-events email-worker')
  assert.match(await info(), /Number of Consumers: 0/)
  assert.match(
    await wrangler.refuses('queues consumer http add mail-events'),
    /type "http_pull" does not exist here/,
  )
})

test('update, pause-delivery, resume-delivery and purge', async () => {
  await wrangler.prints('queues update mail-events --delivery-delay-secs 60')
  await wrangler.prints('queues pause-delivery mail-events')
  const settings = async () => {
    const { dev } = instance
    const response = await fetch(`${dev.api}/accounts/${dev.account_id}/queues?name=mail-events`, {
      headers: { authorization: `Bearer ${dev.api_token}` },
    })
    return JSON.parse(await response.text()).result[0].settings
  }
  assert.deepEqual(await settings(), {
    ...{ delivery_delay: 60, delivery_paused: true, message_retention_period: 3600 },
  })
  await wrangler.prints('queues resume-delivery mail-events')
  assert.equal((await settings()).delivery_paused, false)
  assert.match(await wrangler.prints('queues purge mail-events --force'), /Purged Queue 'mail-events'/)
})

test('delete', async () => {
  await wrangler.prints('queues delete mail-events')
  assert.match(await wrangler.refuses('queues info mail-events'), /does not exist/)
  assert.equal(wrangler.strayConnections(), 0)
})
