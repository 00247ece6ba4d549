import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startInstance } from '#test/instance.ts'
import { checkStored, sendVaried, withoutVerifiers } from '#test/real-mta-mail.ts'
import { startPostfix, withoutPostgrey } from '#test/real-postfix.ts'

test('postgrey puts everything off, and everything comes through it once', {
  skip: withoutPostgrey() || withoutVerifiers(),
}, async () => {
  await using mta = await startPostfix({ greylistSeconds: 3 })
  await using instance = await startInstance({
    POSTHORN_DEV_SINK: `127.0.0.1:${mta.port}`,
    POSTHORN_RETRY_MS: '1000,4000',
    POSTHORN_SEND_WAIT_MS: '0',
  })
  const deliveries = await checkStored({ instance, mta }, await sendVaried(instance, 6))
  for (const { recipient, events } of deliveries) {
    const [first, ...later] = events
    assert.equal(first?.type, 'deferred', recipient)
    assert.equal(first.detail.cause, 'greylisted', JSON.stringify(first.detail))
    // It waited for as long as greylists want, rather than as its schedule says.
    assert.ok(!later.some(({ detail }) => detail.cause === 'greylisted'), recipient)
  }
})
