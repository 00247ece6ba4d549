import assert from 'node:assert/strict'
import { LETTER, openRoutingWorld } from '#test/routing-world.ts'
import { type Script, startScriptedPeer } from '#test/scripted-peer.ts'
import { onBothEngines } from '#test/stores.ts'

/** Which rule a recipient's mail has, in every spelling of the recipient, and how it travels on. */
const UTF8: Script = {
  answer: (command) =>
    command.startsWith('EHLO') ? '250-mx.test\r\n250-8BITMIME\r\n250 SMTPUTF8' : undefined,
}
const OK = '250 2.0.0 Ok'
const recipients = (commands: readonly string[]) =>
  commands.flatMap((command) => /^RCPT TO:<([^@]*)@/.exec(command)?.[1] ?? [])

onBothEngines('the rule that an address has', async (t, open) => {
  const dest = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, { peers: { 'dest.example': dest.port } })
  await world.rule('first.last@routed.example', 'dotted@dest.example')
  await world.rule('Case@routed.example', 'case@dest.example')
  await world.rule('many@routed.example', 'second@dest.example', { priority: 5 })
  await world.rule('many@routed.example', 'first@dest.example', { priority: 1 })
  await world.rule('many@routed.example', 'off@dest.example', { priority: 0, enabled: false })
  await world.rule('user@routed.example', 'user@dest.example')
  await world.rule('user+own@routed.example', 'own@dest.example', { priority: 9 })
  await world.rule('off@routed.example', 'off@dest.example', { enabled: false })
  await world.rule('unproven@routed.example', 'unproven@dest.example', { verified: false })
  await world.subdomain('sub.routed.example')
  await world.catchAll('sub.routed.example', 'rest@dest.example')
  await world.rule('special@sub.routed.example', 'special@dest.example')
  for (const [to, expected] of [
    ['first.last@routed.example', 'dotted'],
    ['FIRST.LAST@ROUTED.EXAMPLE', 'dotted'],
    ['firstlast@routed.example', undefined],
    ['first_last@routed.example', undefined],
    ['firstxlast@routed.example', undefined],
    ['case@routed.example', 'case'],
    ['"case"@routed.example', 'case'],
    ['"c\\ase"@routed.example', 'case'],
    ['many@routed.example', 'first'],
    ['user+x@routed.example', 'user'],
    ['User+X+Y@routed.example', 'user'],
    ['user+OWN@routed.example', 'own'],
    ['user-x@routed.example', undefined],
    ['+user@routed.example', undefined],
    ['"user+x"@routed.example', 'user'],
    ['off@routed.example', undefined],
    ['off+x@routed.example', undefined],
    ['unproven@routed.example', undefined],
    ['anybody@routed.example', undefined],
    ['anybody@sub.routed.example', 'rest'],
    ['any+body@sub.routed.example', 'rest'],
    ['special@sub.routed.example', 'special'],
    ['first.last@sub.routed.example', 'rest'],
    ['anybody@deeper.sub.routed.example', undefined],
  ] as const) {
    const before = dest.commands.length
    const { reply } = await world.send({ to })
    if (expected === undefined) assert.match(reply, /^550 5\.[17]\.1 /, to)
    else assert.equal(reply, OK, to)
    assert.deepEqual(recipients(dest.commands.slice(before)), expected === undefined ? [] : [expected], to)
  }
})

onBothEngines('what stands behind a plus reaches the destination in the message', async (t, open) => {
  const dest = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, { peers: { 'dest.example': dest.port } })
  await world.rule('user@routed.example', 'user@dest.example')
  const content = LETTER().replace('To: x@', 'To: User+Detail@')
  assert.equal((await world.send({ to: 'User+Detail@routed.example', content })).reply, OK)
  const [raw = ''] = dest.taken
  assert.match(raw, /^To: User\+Detail@routed\.example/m)
  assert.match(raw, /^X-Forwarded-For: User\+Detail@routed\.example user@dest\.example/m)
  assert.deepEqual(await world.typesOf('User+Detail@routed.example'), ['delivered'])
})

onBothEngines('one address twice in one transaction is one copy', async (t, open) => {
  const dest = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, { peers: { 'dest.example': dest.port } })
  await world.rule('user@routed.example', 'user@dest.example')
  const { rcpt, reply } = await world.send({
    to: ['user@routed.example', 'USER@Routed.example', 'user@routed.example'],
  })
  assert.ok(rcpt.every((answer) => answer.startsWith('250')))
  assert.equal(reply, OK)
  assert.equal(dest.taken.length, 1)
})

onBothEngines(
  'a domain beyond ASCII is one domain in every form, and asks nothing of the destination',
  async (t, open) => {
    const dest = await startScriptedPeer(t, {})
    await using world = await openRoutingWorld(open, {
      zoneName: 'xn--bcher-kva.example',
      peers: { 'dest.example': dest.port },
    })
    await world.rule('info@bücher.example', 'box@dest.example')
    for (const [to, parameters] of [
      ['info@xn--bcher-kva.example', undefined],
      ['info@XN--BCHER-KVA.example', undefined],
      ['info@bücher.example', 'SMTPUTF8'],
      ['Info@BÜCHER.example', 'SMTPUTF8'],
      ['info@bu\u0308cher.example', 'SMTPUTF8'],
    ] as const) {
      const { reply } = await world.send({ to, ...(parameters && { parameters }) })
      assert.equal(reply, OK, to)
    }
    assert.equal(dest.taken.length, 5)
    // oxlint-disable-next-line no-control-regex -- octets beyond ASCII are what it looks for
    for (const raw of dest.taken) assert.doesNotMatch(raw, /[^\x00-\x7f]/)
    assert.match((await world.send({ to: 'info@bücher.example' })).rcpt[0] ?? '', /^553 5\.6\.7 /)
  },
)

onBothEngines(
  'what is beyond ASCII needs SMTPUTF8 all the way, and its lack is told in the session',
  async (t, open) => {
    const plain = await startScriptedPeer(t, {})
    const able = await startScriptedPeer(t, UTF8)
    await using world = await openRoutingWorld(open, {
      peers: { 'plain.example': plain.port, 'able.example': able.port },
    })
    await world.rule('käse@routed.example', 'box@plain.example')
    await world.rule('brot@routed.example', 'box@plain.example')
    await world.rule('wurst@routed.example', 'würstchen@plain.example')
    await world.rule('KÄSE@routed.example', 'box@able.example', { priority: 9, enabled: false })
    await world.rule('senf@routed.example', 'sänf@able.example')
    await world.rule('öl@routed.example', 'box@able.example')
    const utf8 = { parameters: 'SMTPUTF8' }
    const header = LETTER().replace('Subject: Hello', 'Subject: Grüße')
    for (const [what, mail, expected] of [
      ['a destination beyond ASCII', { to: 'wurst@routed.example' }, /^550 5\.6\.7 /],
      ['the same where it is known', { to: 'senf@routed.example' }, /^250 /],
      ['a header beyond ASCII', { to: 'brot@routed.example', content: header, ...utf8 }, /^550 5\.6\.7 /],
      [
        'a sender beyond ASCII',
        { to: 'brot@routed.example', from: 'jürgen@pass.example', ...utf8 },
        /^550 5\.6\.7 /,
      ],
      ['an address beyond ASCII', { to: 'öl@routed.example', ...utf8 }, /^250 /],
      ['in other letters', { to: 'Öl@routed.example', ...utf8 }, /^250 /],
      [
        'all of it',
        { to: 'ÖL@routed.example', from: 'jürgen@pass.example', content: header, ...utf8 },
        /^250 /,
      ],
    ] as const) {
      assert.match((await world.send(mail)).reply, expected, what)
    }
    assert.equal(plain.taken.length, 0)
    assert.equal(able.taken.length, 4)
    assert.match(able.commands.findLast((command) => command.startsWith('MAIL')) ?? '', / SMTPUTF8/)
    assert.deepEqual(await world.typesOf('wurst@routed.example'), ['bounced'])
    assert.match((await world.send({ to: 'käse@routed.example', ...utf8 })).reply, /^550 5\.6\.7 /)
  },
)

onBothEngines('TLS-Required: No is heard on the way through', async (t, open) => {
  const dest = await startScriptedPeer(t, {})
  const seen: string[] = []
  await using world = await openRoutingWorld(open, {
    peers: { 'dest.example': dest.port },
    around: ({ attempt }) => ({
      attempt(delivery, withinMs) {
        seen.push(delivery.message.tls)
        return attempt(delivery, withinMs)
      },
    }),
  })
  await world.rule('info@routed.example', 'box@dest.example')
  for (const field of ['TLS-Required: No\n', 'tls-required:no\n', 'TLS-Required: Yes\n', ''])
    await world.send({ to: 'info@routed.example', content: LETTER('x', field) })
  assert.deepEqual(seen, ['optional', 'optional', 'policy', 'policy'])
  assert.match(dest.taken[0] ?? '', /^TLS-Required: No/m, 'for the next hops')
})

onBothEngines('the operator hears what is for the postmaster, with a domain and without', async (t, open) => {
  const dest = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, {
    peers: { 'dest.example': dest.port },
    operator: 'root@dest.example',
  })
  for (const to of [
    'postmaster',
    'Postmaster',
    'postmaster@posthorn.test',
    'ABUSE@email.posthorn.test',
    'postmaster@route2.mx.posthorn.test',
  ]) {
    assert.equal((await world.send({ to })).reply, OK, to)
  }
  assert.deepEqual(
    recipients(dest.commands),
    Array.from({ length: 5 }, () => 'root'),
  )
  assert.match((await world.send({ to: 'hostmaster@posthorn.test' })).reply, /^550 5\.7\.1 /)
})

onBothEngines('odd contents are facts of the message, not of the store', async (t, open) => {
  const dest = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, { peers: { 'dest.example': dest.port } })
  let later = false
  const slow = await startScriptedPeer(t, {
    answer: (command) => (command.startsWith('RCPT') && later ? '451 4.2.0 Later' : undefined),
  })
  world.peers.set('slow.example', slow.port)
  await world.rule('info@routed.example', 'box@dest.example')
  await world.rule('slow@routed.example', 'box@slow.example')
  await world.rule('void@routed.example', 'drop')
  const subject = (text: string) => LETTER().replace('Subject: Hello', `Subject: ${text}`)
  const odd: readonly (readonly [string, string])[] = [
    ['an encoded NUL', subject('=?utf-8?q?a=00b?=')],
    ['encoded line ends', subject('=?utf-8?b?DQpCY2M6IHhAeS5leGFtcGxlDQo=?=')],
    ['half a character', subject('=?utf-16be?b?2AA=?=')],
    ['a long one', subject('x '.repeat(450))],
    [
      'one that is cut in a pair',
      subject(`=?utf-8?b?${Buffer.from(`${'x'.repeat(997)}😀`).toString('base64')}?=`),
    ],
    ['octets that are no UTF-8', LETTER().replace('Subject: Hello', 'Subject: \u0001')],
    [
      'an endless Message-ID',
      LETTER().replace(
        /^Message-ID: .*$/m,
        `Message-ID: <${'x'.repeat(900)}\n ${'y'.repeat(990)}\n ${'z'.repeat(990)}>`,
      ),
    ],
    ['no body', LETTER().slice(0, LETTER().indexOf('\n\n') + 1)],
    ['an empty body', LETTER().slice(0, LETTER().indexOf('\n\n') + 2)],
    ['dots', `${LETTER()}.\n..\n.x\n`],
  ]
  for (const [what, content] of odd) {
    for (const to of ['info@routed.example', 'void@routed.example'])
      assert.equal((await world.send({ to, content })).reply, OK, `${what} to ${to}`)
    later = true
    assert.equal((await world.send({ to: 'slow@routed.example', content })).reply, OK, what)
    later = false
  }
  assert.equal(dest.taken.length, odd.length)
  assert.ok(
    dest.taken
      .at(-1)
      ?.endsWith(`${LETTER()}.\n..\n.x\n`.replaceAll('\n', '\r\n').replaceAll('\r\n.', '\r\n..')),
  )
})

onBothEngines(
  'odd addresses and signatures come through, and put nothing into the header',
  async (t, open) => {
    const dest = await startScriptedPeer(t, UTF8)
    await using world = await openRoutingWorld(open, { peers: { 'dest.example': dest.port } })
    await world.catchAll('routed.example', 'box@dest.example')
    const names = (raw: string) =>
      raw
        .slice(0, raw.indexOf('\r\n\r\n'))
        .split(/\r\n(?![ \t])/)
        .map((field) => field.slice(0, field.indexOf(':')))
    await world.send({ to: 'plain@routed.example' })
    const usual = names(dest.taken[0] ?? '')
    for (const local of [
      '"a b"',
      '"a;b"',
      '"a\\"b"',
      '"<x>"',
      '"a\\\\"',
      '"@"',
      '"a@b.example"',
      '"(c)"',
      '" "',
      '""',
      "o'hara",
      '{x}|y',
      '=?utf-8?q?x?=',
      `"${'x '.repeat(29)}"`,
      'x'.repeat(64),
      '"\u00e4 \u00fc"',
    ]) {
      const parameters = 'SMTPUTF8'
      for (const mail of [
        { to: `${local}@routed.example`, parameters },
        { to: 'x@routed.example', from: `${local}@pass.example`, parameters },
      ]) {
        const before = dest.taken.length
        const { reply } = await world.send(mail)
        assert.equal(reply, OK, JSON.stringify(mail))
        assert.equal(dest.taken.length, before + 1)
        assert.deepEqual(names(dest.taken.at(-1) ?? ''), usual, JSON.stringify(mail))
      }
    }
    const tags = 'v=1; a=rsa-sha256; c=relaxed/relaxed; h=from; bh=x; b=x'
    for (const signature of [
      `${tags}; d=b\u00fccher.example; s=s1`,
      `${tags}; d=xn--bcher-kva.example; s=s\u00fc`,
      `${tags}; d="quoted"; s=(comment)`,
      `${tags}; d=a;b; s=;`,
      `${tags}; d=${'x'.repeat(600)}.example; s=s1`,
      `${tags}; d=..; s=..`,
      `${tags}; d=pass.example; s=s1; i="x\r\n y"@pass.example`,
      `v=1; a=\u00fc; b=\u00fc\u00fc\u00fc\u00fc; d=pass.example; s=s1; h=from; bh=x`,
      `v=1; a="; b=;;;;; d=pass.example; s=s1; h=from; bh=x`,
      'v=1',
      '',
      ';'.repeat(500),
    ]) {
      const content = `DKIM-Signature: ${signature}\nARC-Seal: i=1; ${signature}\n${LETTER()}`
      const { reply } = await world.send({ to: 'x@routed.example', content, parameters: 'SMTPUTF8' })
      assert.equal(reply, OK, signature)
      assert.ok(
        dest.taken
          .at(-1)
          ?.includes(`\r\nDKIM-Signature: ${Buffer.from(signature).toString('latin1')}\r\nARC-Seal`),
      )
    }
  },
)
