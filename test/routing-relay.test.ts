import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { LOOP_FIELD, loopMark } from '#outbound/compose/loop-mark.ts'
import { encodeSrs } from '#protocol/srs.ts'
import { openMxClient } from '#test/mx-client.ts'
import { countRows, until } from '#test/outbound.ts'
import { addressOf, LETTER, openRoutingWorld, SRS_KEY, signedBy } from '#test/routing-world.ts'
import { startScriptedPeer } from '#test/scripted-peer.ts'
import { onBothEngines, openTestStore } from '#test/stores.ts'

/** The MX door of a production relays for nobody, whatever the recipient looks like, and what it does take comes out
 *  again as one message. */
const DAY_MS = 86_400_000
const SRS = { domain: 'email.posthorn.test', key: SRS_KEY }

const vectors = join(import.meta.dirname, '../../shared/suites/smtp/vectors.json')
const absent = existsSync(vectors) ? false : 'the suites are not here'
const eod: string[] = absent === false ? JSON.parse(readFileSync(vectors, 'utf8')).eod : []

const RELAY_FORMS = [
  'victim@outside.example',
  'user%victim.example@routed.example',
  'user%victim@routed.example',
  '@routed.example:victim@outside.example',
  '@routed.example,@x.example:victim@outside.example',
  'outside.example!victim@routed.example',
  '"victim@outside.example"@routed.example',
  'victim@outside.example@routed.example',
  'info@routed.example@outside.example',
  'info@[127.0.0.1]',
  'info@[IPv6:::1]',
  'info@127.0.0.1',
  'info@',
  'info',
  '@routed.example',
  'info@routed.example.',
  'info@.routed.example',
  'info@routed..example',
  'info@routed',
  'info@other.routed.example',
  'info@routed.example.outside.example',
  'info @routed.example',
  ' info@routed.example',
  'info@routed.example ',
  'info@routed.example\t',
  '"info"@routed.example@outside.example',
  '"info\\"@routed.example',
  'info@routed.example>,<victim@outside.example',
  'info@routed.example> ORCPT=rfc822;x NOTIFY=NEVER <x',
  'inf\0o@routed.example',
  'info@rоuted.example', // a Cyrillic о
  'info@rоuted.example',
  'info@routed。example.outside.example',
  'SRS0=aaaaaaaaaaaa=aa=outside.example=victim@routed.example',
  'postmaster@outside.example',
  'abuse@route1.mx.posthorn.test',
  'x@posthorn.test',
  'x@email.posthorn.test',
  'x@cf-bounce.routed.example',
]

onBothEngines('relay forms are refused for good, one by one and behind a good recipient', async (t, open) => {
  const inside = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, { peers: { 'inside.example': inside.port } })
  await world.rule('info@routed.example', 'box@inside.example')
  using client = await openMxClient(world.port)
  for (const first of [[], ['info@routed.example']]) {
    for (const form of RELAY_FORMS) {
      await client.ask('MAIL FROM:<someone@pass.example> SMTPUTF8')
      for (const good of first) assert.match(await client.ask(`RCPT TO:<${good}>`), /^250 /)
      const said = await client.ask(`RCPT TO:<${form}>`)
      assert.match(said, /^5\d\d 5\.\d/, `${form} after ${first.length}`)
      await client.ask('RSET')
    }
  }
  assert.equal(inside.connections(), 0)
})

onBothEngines(
  'a rewritten address leads back while it is ours and young, and nowhere else',
  async (t, open) => {
    const origin = await startScriptedPeer(t, {})
    await using world = await openRoutingWorld(open, { peers: { 'origin.example': origin.port } })
    const now = Date.now()
    const good = encodeSrs('someone@origin.example', { ...SRS, now })
    const of = (key: Buffer, version = 1) =>
      encodeSrs('victim@origin.example', { ...SRS, now, key: { version, key } })
    const bounce = { from: '', content: 'From: MAILER-DAEMON@dest.example\nSubject: bounce\n\nx\n' }
    const altered = good
      .split('')
      .slice(0, good.indexOf('@'))
      .flatMap((character, at) => {
        if (character === '=' || at < 5) return []
        const other = character === 'a' ? 'b' : 'a'
        return [`${good.slice(0, at)}${other}${good.slice(at + 1)}`]
      })
    const forged = [
      ...altered,
      of(Buffer.alloc(32, 4)),
      of(SRS_KEY.key, 2),
      good.replace('=someone@', '=victim@'),
      good.replace('origin.example', 'outside.example'),
      good.replace('SRS0', 'SRS1'),
      'SRS0=aaaaaaaaaaaa=aa=outside.example=victim@email.posthorn.test',
      'SRS1=aaaaaaaaaaaaaa=outside.example==x=y=victim.example=v@email.posthorn.test',
      'SRS0+aaaa+aa+outside.example+victim@email.posthorn.test',
      'SRS0=victim@email.posthorn.test',
      `SRS0=aaaaaaaaaaaa=aa=outside.example=${'v'.repeat(200)}@email.posthorn.test`,
      good.replace('email.posthorn.test', 'route1.mx.posthorn.test'),
      good.replace('email.posthorn.test', 'routed.example'),
      good.replace('email.posthorn.test', 'EMAIL.posthorn.test.'),
    ]
    using client = await openMxClient(world.port)
    await client.ask('MAIL FROM:<>')
    for (const to of forged) assert.match(await client.ask(`RCPT TO:<${to}>`), /^5\d\d 5\./, to)
    await client.ask('RSET')
    assert.equal((await world.send({ ...bounce, to: good.toUpperCase() })).reply, '250 2.0.0 Ok')
    assert.deepEqual(
      origin.commands.filter((command) => /^(MAIL|RCPT)/.test(command)),
      ['MAIL FROM:<>', 'RCPT TO:<SOMEONE@origin.example>'],
    )
    assert.deepEqual(await world.typesOf(good.toUpperCase()), ['delivered'])
    world.pass(22 * DAY_MS)
    assert.match((await world.send({ ...bounce, to: good })).reply, /^550 5\.7\.1 .*expired/)
  },
)

onBothEngines('a rewritten address is no way around DMARC', async (t, open) => {
  const origin = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, { peers: { 'origin.example': origin.port } })
  const to = encodeSrs('someone@origin.example', { ...SRS, now: Date.now() })
  const from = 'x@pass.example'
  const forged = LETTER('hi').replace('someone@pass.example', 'boss@strict.example')
  assert.match((await world.send({ from, to, content: forged })).reply, /^550 5\.7\.1 /)
  assert.deepEqual(await world.typesOf(to), ['rejected'])
  assert.equal(origin.connections(), 0)
})

test('what some host might take for the end of the data is no end here, nor behind a forward', {
  skip: absent,
}, async (t) => {
  await using open = await openTestStore('sqlite')
  const dest = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, { peers: { 'dest.example': dest.port } })
  await world.rule('info@routed.example', 'box@dest.example')
  let taken = 0
  for (const end of eod) {
    using client = await openMxClient(world.port)
    await client.ask('MAIL FROM:<someone@pass.example>')
    await client.ask('RCPT TO:<info@routed.example>')
    await client.ask('DATA')
    const smuggled = `MAIL FROM:<smuggled@pass.example>\r\nRCPT TO:<info@routed.example>\r\nDATA\r\nSubject: s\r\n\r\ns`
    client.write(
      Buffer.from(`From: someone@pass.example\r\nSubject: x\r\n\r\nbody${end}${smuggled}\r\n.\r\n`, 'latin1'),
    )
    const reply = await client.reply()
    assert.match(reply, /^(250 2\.0\.0|554 5\.6\.0)/)
    if (reply.startsWith('250')) taken++
    assert.match(await client.ask('QUIT'), /^221 /, 'one reply for it')
  }
  assert.equal(dest.taken.length, taken)
  assert.equal(dest.commands.filter((command) => command.startsWith('MAIL')).length, taken)
  assert.ok(!dest.commands.some((command) => command.includes('smuggled')))
  for (const content of dest.taken) {
    assert.doesNotMatch(content, /\r(?!\n)|(?<!\r)\n/, 'a bare CR or LF')
    assert.doesNotMatch(content, /\r\n\.\r\n/)
  }
})

onBothEngines(
  'two addresses that forward to each other are a loop, and the sender hears it',
  async (_, open) => {
    await using world = await openRoutingWorld(open, { attemptMs: 10_000, timeouts: {} })
    world.peers.set('routed.example', world.port)
    await world.rule('ping@routed.example', 'pong@routed.example')
    await world.rule('pong@routed.example', 'ping@routed.example')
    await world.rule('self@routed.example', 'self@routed.example')
    const { reply } = await world.send({ to: 'ping@routed.example' })
    assert.match(reply, /^554 5\.4\.6 .*loop/)
    assert.deepEqual(await world.typesOf('ping@routed.example'), ['rejected', 'bounced'])
    assert.deepEqual(await world.typesOf('pong@routed.example'), ['bounced'])
    assert.match((await world.send({ to: 'self@routed.example' })).reply, /^554 5\.4\.6 /)
    assert.equal(await countRows(open.store, 'message'), 0, 'nothing was promised, nobody is told')
  },
)

test('two instances that forward to each other are a loop as well', async () => {
  await using one = await openTestStore('sqlite')
  await using two = await openTestStore('sqlite')
  const far = { attemptMs: 10_000, timeouts: {} }
  await using here = await openRoutingWorld(one, far)
  await using there = await openRoutingWorld(two, { ...far, zoneName: 'there.example' })
  here.peers.set('there.example', there.port)
  there.peers.set('routed.example', here.port)
  await here.rule('a@routed.example', 'b@there.example')
  await there.rule('b@there.example', 'a@routed.example')
  assert.match((await here.send({ to: 'a@routed.example' })).reply, /^554 5\.4\.6 /)
  assert.deepEqual(await here.typesOf('a@routed.example'), ['rejected', 'bounced'])
  assert.deepEqual(await there.typesOf('b@there.example'), ['bounced'])
  for (const { store } of [one, two]) assert.equal(await countRows(store, 'message'), 0)
})

onBothEngines('a stranger cannot make a message look like a loop', async (t, open) => {
  const dest = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, { peers: { 'dest.example': dest.port } })
  await world.rule('member@routed.example', 'box@dest.example')
  // Sent to a list, it would make the list take its member for gone.
  const mark = `${LOOP_FIELD}: ${loopMark(addressOf('member@routed.example'), Buffer.alloc(32))}\n`
  const { reply } = await world.send({ to: 'member@routed.example', content: LETTER('x', mark) })
  assert.equal(reply, '250 2.0.0 Ok')
})

onBothEngines('a null sender causes no mail of ours, whatever becomes of its own', async (t, open) => {
  let calls = 0
  const late = await startScriptedPeer(t, {
    answer: (command) =>
      command.startsWith('RCPT') ? (calls++ < 1 ? '451 4.7.1 Later' : '550 5.1.1 Gone') : undefined,
  })
  await using world = await openRoutingWorld(open, { peers: { 'late.example': late.port } })
  await world.rule('late@routed.example', 'box@late.example')
  assert.equal((await world.send({ from: '', to: 'late@routed.example' })).reply, '250 2.0.0 Ok')
  await until('bounced', async () => (await world.typesOf('late@routed.example')).includes('bounced'))
  assert.equal(await countRows(open.store, 'message'), 1, 'no notice')
})

onBothEngines('a null sender has one recipient: it could be told of no other', async (t, open) => {
  const good = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, { peers: { 'good.example': good.port } })
  await world.rule('one@routed.example', 'box@good.example')
  await world.rule('two@routed.example', 'two@good.example')
  const { rcpt, reply } = await world.send({ from: '', to: ['one@routed.example', 'two@routed.example'] })
  assert.match(rcpt[1] ?? '', /^452 4\.5\.3 /)
  assert.equal(reply, '250 2.0.0 Ok')
})

onBothEngines(
  'a failure after the 250 is told to nobody who was not proven to be the sender',
  async (t, open) => {
    const calls = new Map<string, number>()
    const late = await startScriptedPeer(t, {
      answer(command) {
        if (!command.startsWith('RCPT')) return undefined
        calls.set(command, (calls.get(command) ?? 0) + 1)
        return calls.get(command) === 1 ? '451 4.7.1 Later' : '550 5.1.1 Gone'
      },
    })
    const victim = await startScriptedPeer(t, {})
    await using world = await openRoutingWorld(open, {
      peers: {
        'late.example': late.port,
        'pass.example': victim.port,
        'fail.example': victim.port,
        'signed.example': victim.port,
      },
    })
    const signed = (subject: string, author = 'me@signed.example') =>
      signedBy('signed.example', LETTER(subject).replace('someone@pass.example', author))
    for (const [name, from, content, told] of [
      ['proven', 'someone@pass.example', LETTER('proven'), true],
      // SPF fails for the victim's domain, and the attacker's own signature says nothing of the victim.
      ['forged', 'victim@fail.example', await signed('forged'), false],
    ] as const) {
      const address = `${name}@routed.example`
      await world.rule(address, `${name}@late.example`)
      assert.equal((await world.send({ from, to: address, content })).reply, '250 2.0.0 Ok', name)
      await until('bounced', async () => (await world.typesOf(address)).includes('bounced'))
      const [event] = (await world.eventsOf(address)).slice(-1)
      assert.equal(event?.terminal, 1)
      if (told) await until('a notice', () => victim.taken.length === 1)
    }
    assert.deepEqual(
      victim.commands.filter((command) => command.startsWith('RCPT')),
      ['RCPT TO:<someone@pass.example>'],
    )
  },
)

onBothEngines('a DMARC pass of another domain than that of MAIL FROM proves no sender', async (t, open) => {
  let calls = 0
  const late = await startScriptedPeer(t, {
    answer: (command) =>
      command.startsWith('RCPT') ? (calls++ < 1 ? '451 4.7.1 Later' : '550 5.1.1 Gone') : undefined,
  })
  await using world = await openRoutingWorld(open, { peers: { 'late.example': late.port } })
  await world.rule('late@routed.example', 'box@late.example')
  const content = await signedBy(
    'strict.example',
    LETTER('x').replace('someone@pass.example', 'attacker@strict.example'),
  )
  const sent = await world.send({ from: 'victim@fail.example', to: 'late@routed.example', content })
  assert.equal(sent.reply, '250 2.0.0 Ok')
  await until('bounced', async () => (await world.typesOf('late@routed.example')).includes('bounced'))
  assert.equal(await countRows(open.store, 'message'), 1, 'no notice to the victim')
})
