import { test } from 'node:test'
import { startInstance } from '#test/instance.ts'
import { checkStored, sendVaried, withoutVerifiers } from '#test/real-mta-mail.ts'
import { startPostfix, withoutPostfix } from '#test/real-postfix.ts'

test('Postfix takes mail of every kind over STARTTLS, and what it stores verifies', {
  skip: withoutPostfix() || withoutVerifiers(),
}, async () => {
  await using mta = await startPostfix()
  await using instance = await startInstance({ POSTHORN_DEV_SINK: `127.0.0.1:${mta.port}` })
  await checkStored({ instance, mta }, await sendVaried(instance))
})
