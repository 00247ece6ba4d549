import { test } from 'node:test'
import { startInstance } from '#test/instance.ts'
import { startExim, withoutExim } from '#test/real-exim.ts'
import { checkStored, sendVaried, withoutVerifiers } from '#test/real-mta-mail.ts'

test('Exim takes mail of every kind over STARTTLS, and what it stores verifies', {
  skip: withoutExim() || withoutVerifiers(),
}, async () => {
  await using mta = await startExim()
  await using instance = await startInstance({ POSTHORN_DEV_SINK: `127.0.0.1:${mta.port}` })
  await checkStored({ instance, mta }, await sendVaried(instance))
})
