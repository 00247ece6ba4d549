import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signMessage } from '#outbound/compose/sign-message.ts'
import { judgeRoute } from '#test/judge-route.ts'
import { until } from '#test/outbound.ts'
import { withoutVerifiers } from '#test/real-mta-mail.ts'
import { withoutPostgrey } from '#test/real-postfix.ts'
import { startRealRoute, WRITER } from '#test/real-route.ts'
import { eventsOf, forwardRule } from '#test/routing-instance.ts'

test('a forward that postgrey puts off is taken from the origin, and arrives later, once, as it was sealed', {
  skip: withoutPostgrey() || withoutVerifiers(),
}, async () => {
  await using route = await startRealRoute({
    origin: 'postfix',
    destination: { greylistSeconds: 3 },
    environment: { POSTHORN_RETRY_MS: '1000,4000' },
  })
  const { instance, origin, destination } = route
  await forwardRule(instance, 'sales@yourdomain.com', 'inbox@destination.example')
  const contents = ['small', 'x'.repeat(70).concat('\r\n').repeat(6000)]
  for (const [i, content] of contents.entries()) {
    const message = `Message-ID: <${i}@sender.example>\r\nFrom: ${WRITER}\r\n\r\n${content}\r\n`
    await route.write(
      await signMessage(Buffer.from(message), route.signing, new Date()),
      'sales@yourdomain.com',
    )
  }
  const types = () => eventsOf(instance, 'sales@yourdomain.com').map(({ type }) => type)
  await until('both promised', () => types().filter((type) => type === 'accepted').length === 2)
  await until('the origin told 250', () => origin.queued() === 0)
  await until('both delivered', () => types().filter((type) => type === 'delivered').length === 2)
  const deferred = eventsOf(instance, 'sales@yourdomain.com').filter(({ type }) => type === 'deferred')
  assert.ok(deferred.length >= 2)
  for (const { detail } of deferred) assert.equal(detail.cause, 'greylisted', JSON.stringify(detail))
  const copies = () =>
    destination.stored().filter(({ content }) => content.includes('@sender.example>\r\nFrom:'))
  await until('both stored', () => copies().length === 2)
  for (const one of judgeRoute(instance.dev.dns.port, copies()))
    assert.deepEqual([one.held.length, one.broken, one.arc, one.spf], [3, [], 'pass', 'pass'], one.reason)
  assert.deepEqual(origin.stored(), [], 'and nothing came back')
})
