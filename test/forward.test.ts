import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { dmarcSender } from '#test/dmarc-sender.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { until } from '#test/outbound.ts'
import { eventsOf, forwardRule, rule, SENDER, toMx } from '#test/routing-instance.ts'

let instance: Instance

before(async () => {
  instance = await startInstance()
})
after(async () => instance[Symbol.asyncDispose]())

const mail = (subject: string, more = '') =>
  `From: Someone <${SENDER}>\nTo: x@yourdomain.com\nSubject: ${subject}\nMessage-ID: <${subject}@pass.posthorn.test>\n${more}\nHello\n.dot\n`

test('a message is forwarded in the session, sealed and signed, and the original untouched', async () => {
  const ruleId = await forwardRule(instance, 'sales@yourdomain.com', 'inbox@destination.example')
  assert.equal(
    await toMx(instance, { to: 'Sales@yourdomain.com', content: mail('forwarded') }),
    '250 2.0.0 Ok',
  )
  const [arrived] = await instance.inbox('subject:forwarded')
  assert.ok(arrived)
  const raw = await instance.raw(arrived.ID)
  assert.ok(raw.endsWith(mail('forwarded').replaceAll('\n', '\r\n')), 'octet for octet')
  for (const field of [
    /^DKIM-Signature: .*\r\n d=email\.posthorn\.test/m,
    /^DKIM-Signature: .*\r\n d=yourdomain\.com; s=cf2024-1/m,
  ]) {
    assert.match(raw, field)
  }
  assert.match(raw, /^ARC-Seal: /m)
  assert.match(
    raw,
    /^Authentication-Results: route1\.mx\.posthorn\.test;\r\n spf=pass smtp\.mailfrom=pass\.posthorn\.test/m,
  )
  assert.match(raw, /^Received: from mail\.pass\.posthorn\.test \(/m)
  assert.match(
    await instance.returnPath(arrived.ID),
    /^SRS0=.*=pass\.posthorn\.test=someone@email\.posthorn\.test$/,
  )
  const [event, ...others] = eventsOf(instance, 'Sales@yourdomain.com')
  assert.deepEqual(others, [])
  assert.equal(event?.type, 'delivered')
  assert.ok(event.detail.routed)
  const { spf, dmarc, action, isSpam, isNdr, ruleId: matched } = event.detail.routed
  assert.deepEqual(
    { spf, dmarc, action, isSpam, isNdr, matched },
    {
      ...{ spf: 'pass', dmarc: 'pass', action: 'forward', isSpam: false, isNdr: false, matched: ruleId },
    },
  )
})

test('what we sealed ourselves is believed at our own door', async () => {
  await dmarcSender(instance, 'strict.example')
  await forwardRule(instance, 'first@yourdomain.com', 'second@yourdomain.com')
  await forwardRule(instance, 'second@yourdomain.com', 'end@destination.example')
  const content = mail('twice').replace(SENDER, 'boss@strict.example')
  const from = 'boss@strict.example'
  assert.equal(await toMx(instance, { from, to: 'first@yourdomain.com', content }), '250 2.0.0 Ok')
  const [arrived] = await instance.inbox('subject:twice')
  assert.ok(arrived)
  const raw = await instance.raw(arrived.ID)
  // SPF speaks of the rewritten sender now, which DMARC does not count.
  assert.match(raw, /^ARC-Authentication-Results: i=2;(?:.*\r\n )+dmarc=fail/m)
  assert.match(raw, /^ARC-Authentication-Results: i=1;(?:.*\r\n )+dmarc=pass/m)
  // Whoever had it from us cannot put other words into it.
  const forged = Buffer.from(raw.replace('\r\nHello\r\n', '\r\nHellO\r\n'), 'latin1')
  await forwardRule(instance, 'third@yourdomain.com', 'end@destination.example')
  assert.match(await toMx(instance, { to: 'third@yourdomain.com', content: forged }), /^550 5\.7\.1 /)
})

test('what the destination refuses is refused in the session, with its words', async () => {
  await forwardRule(instance, 'gone@yourdomain.com', 'bounce@simulator.posthorn.test')
  assert.match(await toMx(instance, { to: 'gone@yourdomain.com', content: mail('gone') }), /^550 5\.1\.1 /)
  assert.deepEqual(
    eventsOf(instance, 'gone@yourdomain.com').map(({ type }) => type),
    ['bounced'],
  )
})

test('what it puts off is promised, answered 250, and tried again', async () => {
  await forwardRule(instance, 'later@yourdomain.com', 'softbounce+f@simulator.posthorn.test')
  assert.equal(await toMx(instance, { to: 'later@yourdomain.com', content: mail('later') }), '250 2.0.0 Ok')
  await until('delivered', () =>
    eventsOf(instance, 'later@yourdomain.com').some(({ type }) => type === 'delivered'),
  )
  assert.deepEqual(
    eventsOf(instance, 'later@yourdomain.com').map(({ type }) => type),
    ['accepted', 'deferred', 'deferred', 'delivered'],
  )
})

test('dropped, unknown, unproven', async () => {
  await rule(instance, 'void@yourdomain.com', { type: 'drop' })
  assert.equal(await toMx(instance, { to: 'void@yourdomain.com', content: mail('dropped') }), '250 2.0.0 Ok')
  assert.deepEqual(
    eventsOf(instance, 'void@yourdomain.com').map(({ type }) => type),
    ['dropped'],
  )
  assert.match(
    await toMx(instance, { to: 'nobody@yourdomain.com', content: mail('nobody') }),
    /^550 5\.1\.1 /,
  )
  const unproven = await toMx(instance, {
    from: 'x@stranger.example',
    to: 'sales@yourdomain.com',
    content: mail('unproven'),
  })
  assert.match(unproven, /^550 5\.7\.26 /)
})

test('what bounces off the destination goes back to the sender by the rewritten address, and nobody else gets through', async () => {
  await forwardRule(instance, 'back@yourdomain.com', 'back@destination.example')
  await toMx(instance, { to: 'back@yourdomain.com', content: mail('outward') })
  const [outward] = await instance.inbox('subject:outward')
  assert.ok(outward)
  const rewritten = await instance.returnPath(outward.ID)
  const bounce = 'From: MAILER-DAEMON@destination.example\nTo: x\nSubject: homeward\n\nIt bounced.\n'
  assert.equal(
    await toMx(instance, { from: '', to: rewritten.toUpperCase(), content: bounce }),
    '250 2.0.0 Ok',
  )
  const [homeward] = await instance.inbox('subject:homeward')
  assert.ok(homeward)
  assert.equal(await instance.returnPath(homeward.ID), '')
  assert.match(await instance.raw(homeward.ID), new RegExp(`^X-Forwarded-To: ${SENDER}`, 'im'))
  const forged = rewritten.replace(/^SRS0=../, 'SRS0=aa')
  for (const to of [forged, rewritten.replace('=someone@', '=victim@'), 'SRS0=x=y=z@email.posthorn.test']) {
    assert.match(await toMx(instance, { from: '', to, content: bounce }), /^550 5\.[17]\.1 /, to)
  }
})

test('several recipients of one transaction, only for a proven sender; the refused are told of by mail', async () => {
  await forwardRule(instance, 'one@yourdomain.com', 'one@destination.example')
  await forwardRule(instance, 'two@yourdomain.com', 'two@destination.example')
  await forwardRule(instance, 'three@yourdomain.com', 'bounce+three@simulator.posthorn.test')
  const to = ['one@yourdomain.com', 'two@yourdomain.com', 'three@yourdomain.com']
  assert.equal(await toMx(instance, { to, content: mail('several') }), '250 2.0.0 Ok')
  assert.equal((await instance.inbox('subject:several', 2)).length, 2)
  const [notice] = await instance.inbox('subject:"Undelivered Mail"')
  assert.ok(notice)
  assert.deepEqual(
    notice.To.map(({ Address }) => Address),
    [SENDER],
  )
  const told = await instance.raw(notice.ID)
  assert.match(told, /^Final-Recipient: rfc822; three@yourdomain\.com/m)
  assert.doesNotMatch(told, /simulator\.posthorn\.test(?!\.)>?\r\nAction/, 'not where it was to go')
  const unproven = await toMx(instance, { from: 'x@stranger.example', to, content: mail('unproven-several') })
  assert.match(unproven, /two@yourdomain\.com: 452 4\.5\.3|^550/)
})

test('a message that was forwarded for an address before, and one with too many hops, are loops', async () => {
  await forwardRule(instance, 'loop@yourdomain.com', 'loop@destination.example')
  await toMx(instance, { to: 'loop@yourdomain.com', content: mail('round') })
  const [once] = await instance.inbox('subject:round')
  assert.ok(once)
  const again = await toMx(instance, { to: 'loop@yourdomain.com', content: await instance.raw(once.ID) })
  assert.match(again, /^554 5\.4\.6 /)
  const hops = Array.from(
    { length: 31 },
    (_, i) => `Received: from h${i} by h${i + 1}; Fri, 20 Nov 2026 00:00:00 +0000\n`,
  ).join('')
  assert.match(
    await toMx(instance, { to: 'loop@yourdomain.com', content: hops + mail('hops') }),
    /^554 5\.4\.6 /,
  )
  assert.equal(eventsOf(instance, 'loop@yourdomain.com').filter(({ type }) => type === 'rejected').length, 2)
})

test('a header that readers split in two ways is refused, and its owner sees why', async () => {
  await forwardRule(instance, 'odd@yourdomain.com', 'odd@destination.example')
  const refused = await toMx(instance, {
    to: 'odd@yourdomain.com',
    content: `From : x@a.example\n${mail('odd')}`,
  })
  assert.match(refused, /^554 5\.6\.0 /)
  assert.match(
    eventsOf(instance, 'odd@yourdomain.com').at(-1)?.detail.routed?.reason ?? '',
    /white space before its colon/,
  )
})

test('a large message streams through, octet for octet', async () => {
  await forwardRule(instance, 'large@yourdomain.com', 'large@destination.example')
  const body = `${'0123456789abcdef'.repeat(4)}\n.dots\n..\n`.repeat(40_000)
  const content = mail('large') + body
  assert.equal(await toMx(instance, { to: 'large@yourdomain.com', content }), '250 2.0.0 Ok')
  const [arrived] = await instance.inbox('subject:large')
  assert.ok(arrived)
  assert.ok((await instance.raw(arrived.ID)).endsWith(content.replaceAll('\n', '\r\n')))
})

test('fields of a stranger that bear our name are taken out, others stay', async () => {
  await forwardRule(instance, 'results@yourdomain.com', 'results@destination.example')
  const forged =
    'Authentication-Results: (x) Route1.MX.posthorn.test 1; dmarc=pass\nAuthentication-Results: other.example; spf=pass\n'
  await toMx(instance, { to: 'results@yourdomain.com', content: forged + mail('results') })
  const [arrived] = await instance.inbox('subject:results')
  assert.ok(arrived)
  const raw = await instance.raw(arrived.ID)
  assert.doesNotMatch(raw, /Route1\.MX/)
  assert.match(raw, /^Authentication-Results: other\.example; spf=pass/m)
})
