import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import type { Address } from '#model/address.ts'
import { openLog } from '#observe/log.ts'
import { openSqliteStore } from '#store/open-sqlite.ts'
import { statement } from '#store/store.ts'
import { type BindingWorld, codeOf, type Made, openBindingWorld, suppress } from '#test/binding-world.ts'
import { fillStore } from '#test/full-store.ts'
import { ACCOUNT, countRows, eventsIn } from '#test/outbound.ts'
import { type CollectingServer, startSmtpServer } from '#test/smtp-server.ts'
import { onBothEngines, openTestStore } from '#test/stores.ts'

const MAIL = { from: 'a@one.example', to: 'x@takes.example', subject: 'Hello', text: 'Hi' }
const FILE = { content: 'AAAA', filename: 'a.bin', type: 'a/b', disposition: 'attachment' }
const mime = (from: string) => Buffer.from(`From: ${from}\r\nSubject: Raw\r\n\r\nHi\r\n`)

/** `takes.example` takes everything, `refuses.example` knows nobody, `slow.example` says nothing. */
async function startPeers(t: Parameters<typeof startSmtpServer>[0]) {
  const takes = await startSmtpServer(t)
  const refuses = await startSmtpServer(t, {
    handler: { rcpt: () => ({ code: 550, enhanced: '5.1.1', text: 'No such user here' }) },
  })
  const ports = { 'takes.example': takes.port, 'refuses.example': refuses.port }
  return { takes, peers: ports }
}

function made(outcome: Made): string {
  assert.ok('messageId' in outcome, JSON.stringify(outcome))
  return outcome.messageId
}

function contentOf({ messages }: CollectingServer, index = 0): string {
  return String(messages[index]?.content)
}

onBothEngines('what is sent arrives, and the log says which Worker sent it', async (t, at) => {
  const { takes, peers } = await startPeers(t)
  await using world = await openBindingWorld(at, { peers })
  const logo = { ...FILE, disposition: 'inline', contentId: 'logo' }
  const messageId = made(
    await world.build({
      ...MAIL,
      from: { email: 'a@one.example', name: 'A' },
      replyTo: 'r@one.example',
      html: '<img src="cid:logo">',
      attachments: [logo],
      headers: { 'X-A': '1' },
    }),
  )
  const content = contentOf(takes)
  assert.match(messageId, /^<[0-9a-f]{32}@one\.example>$/)
  for (const line of [`Message-ID: ${messageId}`, 'From: A <a@one.example>', 'Reply-To: r@one.example']) {
    assert.ok(content.includes(`${line}\r\n`), line)
  }
  assert.match(content, /\r\nX-A: 1\r\n[\s\S]*\r\nContent-ID: <logo>/)

  const raw = mime('Me <me@one.example>')
  made(await world.send({ kind: 'raw', from: 'bounce@one.example', to: 'y@takes.example', raw }))
  assert.match(contentOf(takes, 1), /\r\nSubject: Raw\r\n/)
  const accepted = (await eventsIn(world.store)).filter(({ type }) => type === 'accepted')
  assert.deepEqual(
    accepted.map(({ detail }) => [detail['recipients'], detail['worker']]),
    [
      [['x@takes.example'], { scriptName: 'mailer', call: 'send' }],
      [['y@takes.example'], { scriptName: 'mailer', call: 'send' }],
    ],
  )
})

test('the four kinds of restriction', async (t) => {
  const { takes, peers } = await startPeers(t)
  await using at = await openTestStore('sqlite')
  await using world = await openBindingWorld(at, { peers })
  const send = async (given: object, restriction: object) => {
    const outcome = await world.build({ ...MAIL, ...given }, restriction)
    return 'code' in outcome ? `${outcome.code} ${outcome.message}` : 'sent'
  }

  const senders = { allowedSenderAddresses: ['noreply@one.example', 'Support@one.example'] }
  assert.equal(await send({ from: { email: 'NoReply@one.example' } }, senders), 'sent')
  assert.equal(
    await send({}, senders),
    'E_SENDER_NOT_VERIFIED from: a@one.example is not among the allowed_sender_addresses of the binding EMAIL.',
  )
  const listed = { allowedDestinationAddresses: ['x@takes.example', 'Y@takes.example'] }
  assert.equal(await send({ cc: ['y@TAKES.example'] }, listed), 'sent')
  for (const [field, path] of [
    [{ to: ['x@takes.example', 'z@takes.example'] }, 'to[1]'],
    [{ cc: { email: 'z@takes.example' } }, 'cc.email'],
    [{ bcc: 'z@takes.example' }, 'bcc'],
  ] as const) {
    assert.equal(
      await send(field, listed),
      `E_RECIPIENT_NOT_ALLOWED ${path}: z@takes.example is not among the allowed_destination_addresses of the binding EMAIL.`,
    )
  }
  const one = { destinationAddress: 'ops@takes.example' }
  const before = takes.messages.length
  assert.equal(await send({ to: null }, one), 'sent')
  assert.equal(await send({ to: undefined }, one), 'sent')
  assert.equal(await send({ to: 'OPS@takes.example' }, one), 'sent')
  assert.equal(
    await send({}, one),
    'E_RECIPIENT_NOT_ALLOWED to: x@takes.example is not the destination_address of the binding EMAIL.',
  )
  assert.match(await send({ to: null, cc: 'x@takes.example' }, one), /^E_RECIPIENT_NOT_ALLOWED cc: /)
  assert.match(await send({}, { ...senders, ...one }), /^E_SENDER_NOT_VERIFIED /)
  assert.match(await send({}, { allowedDestinationAddresses: [] }), /^E_RECIPIENT_NOT_ALLOWED /)
  assert.deepEqual(
    takes.messages.slice(before).map(({ to }) => to),
    [['ops@takes.example'], ['ops@takes.example'], ['OPS@takes.example']],
  )
  assert.ok(contentOf(takes, before).includes('To: ops@takes.example\r\n'))
})

test('the restrictions bind an EmailMessage: its envelope, and its From header too', async (t) => {
  const { takes, peers } = await startPeers(t)
  await using at = await openTestStore('sqlite')
  await using world = await openBindingWorld(at, { peers })
  const senders = { allowedSenderAddresses: ['noreply@one.example'] }
  const send = async (from: string, header: string, to: unknown, restriction = {}) =>
    codeOf(await world.send({ kind: 'raw', from, to, raw: mime(header) }, restriction))

  const allowed = 'noreply@one.example'
  assert.equal(await send(allowed, allowed, 'x@takes.example', senders), '')
  assert.equal(await send('a@one.example', allowed, 'x@takes.example', senders), 'E_SENDER_NOT_VERIFIED')
  assert.equal(await send(allowed, 'a@one.example', 'x@takes.example', senders), 'E_SENDER_NOT_VERIFIED')
  const one = { destinationAddress: 'ops@takes.example' }
  assert.equal(await send(allowed, allowed, null, one), '')
  assert.equal(await send(allowed, allowed, undefined, one), '')
  assert.equal(await send(allowed, allowed, 'x@takes.example', one), 'E_RECIPIENT_NOT_ALLOWED')
  assert.deepEqual(
    takes.messages.map(({ to }) => to[0]),
    ['x@takes.example', 'ops@takes.example', 'ops@takes.example'],
  )
})

const off = statement('test.sending-off', `update account set sending_enabled = 0 where id = $1`)
const disabled = statement('test.domain-off', `update domain set sending = 'disabled' where name = $1`)
const pending = statement('test.domain-pending', `update domain set sending = 'pending' where name = $1`)

/** The table of sending-workers-api.md: a send for each row, and words that its message must have. */
const TABLE: Record<string, readonly [send: (world: BindingWorld) => Promise<Made>, words: RegExp]> = {
  E_VALIDATION_ERROR: [(world) => world.build({ ...MAIL, to: ['x'] }), /^to\[0\]: "x": .*@/],
  E_FIELD_MISSING: [(world) => world.build({ ...MAIL, subject: undefined }), /'subject'/],
  E_TOO_MANY_RECIPIENTS: [
    (world) => world.build({ ...MAIL, bcc: Array.from({ length: 50 }, (_, i) => `${i}@takes.example`) }),
    /51 recipients in 'to', 'cc' and 'bcc'/,
  ],
  E_TOO_MANY_ATTACHMENTS: [
    (world) => world.build({ ...MAIL, attachments: Array.from({ length: 33 }, () => FILE) }),
    /33 attachments; 32/,
  ],
  E_SENDER_NOT_VERIFIED: [
    async (world) => {
      await world.store.commit([{ statement: pending, params: ['one.example'] }])
      return world.build(MAIL)
    },
    /^from: one\.example is not verified/,
  ],
  E_RECIPIENT_NOT_ALLOWED: [
    (world) => world.build({ ...MAIL, from: 'a@routed.example', cc: ['y@takes.example'] }),
    /^to: x@takes\.example is not a verified destination/,
  ],
  E_RECIPIENT_SUPPRESSED: [
    async (world) => {
      await suppress(world, 'x@takes.example')
      return world.build(MAIL)
    },
    /^to: On the suppression list: x@takes\.example/,
  ],
  E_SENDER_DOMAIN_NOT_AVAILABLE: [
    (world) => world.build({ ...MAIL, from: { email: 'a@elsewhere.example' } }),
    /^from: elsewhere\.example is not onboarded/,
  ],
  E_CONTENT_TOO_LARGE: [
    (world) =>
      world.build({
        ...MAIL,
        attachments: [{ ...FILE, content: Buffer.alloc(4_000_000).toString('base64') }],
      }),
    /5 MiB is the most/,
  ],
  E_DELIVERY_FAILED: [
    (world) => world.build({ ...MAIL, to: ['u@refuses.example', 'v@refuses.example'] }),
    /u@refuses\.example: 550.5\.1\.1.*No such user here; v@refuses\.example: 550/,
  ],
  E_RATE_LIMIT_EXCEEDED: [
    async (world) => {
      const outcomes = await Promise.all(Array.from({ length: 4 }, () => world.build(MAIL)))
      return outcomes.find((outcome) => 'code' in outcome) ?? { messageId: '' }
    },
    /^3 messages of this account/,
  ],
  E_DAILY_LIMIT_EXCEEDED: [
    async (world) => {
      await world.quota.adjust(ACCOUNT, { mode: 'fixed', value: 1 }, { at: Date.now(), record: () => [] })
      return world.build({ ...MAIL, cc: ['y@takes.example'] })
    },
    /may send to 1 recipients a day/,
  ],
  E_INTERNAL_SERVER_ERROR: [() => onFullDisk(), /Try again later/],
  E_HEADER_NOT_ALLOWED: [(world) => withHeader(world, 'Date', 'now'), /^Header 'Date' is not allowed\./],
  E_HEADER_USE_API_FIELD: [
    (world) => withHeader(world, 'Reply-To', 'r@one.example'),
    /^Header 'Reply-To' must be set via the 'replyTo' API field/,
  ],
  E_HEADER_VALUE_INVALID: [(world) => withHeader(world, 'X-A', ''), /^Header 'X-A' must not be empty/],
  E_HEADER_VALUE_TOO_LONG: [(world) => withHeader(world, 'X-A', 'a'.repeat(2049)), /^Header 'X-A' value/],
  E_HEADER_NAME_INVALID: [(world) => withHeader(world, 'Bad Header!', '1'), /^Header name 'Bad Header!'/],
  E_HEADERS_TOO_LARGE: [
    (world) =>
      world.build({
        ...MAIL,
        headers: Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`X-${i}`, 'a'.repeat(2000)])),
      }),
    /exceeds 16KB limit/,
  ],
  E_HEADERS_TOO_MANY: [
    (world) =>
      world.build({
        ...MAIL,
        headers: Object.fromEntries(ALLOWLISTED.map((name) => [name, '1'])),
      }),
    /^21 allowlisted headers provided, maximum is 20\.$/,
  ],
}

// One of them twice, which is told only after they were counted.
const ALLOWLISTED = [
  ...['In-Reply-To', 'References', 'List-Unsubscribe', 'List-Unsubscribe-Post', 'List-Id', 'List-Archive'],
  ...['List-Help', 'List-Owner', 'List-Post', 'List-Subscribe', 'Precedence', 'Auto-Submitted'],
  ...['Content-Language', 'Keywords', 'Comments', 'Importance', 'Sensitivity', 'Organization'],
  ...['Require-Recipient-Valid-Since', 'Archived-At', 'KEYWORDS'],
]

function withHeader(world: BindingWorld, name: string, value: string): Promise<Made> {
  return world.build({ ...MAIL, headers: { [name]: value } })
}

async function onFullDisk(log = openLog('silent')): Promise<Made> {
  const directory = await mkdtemp(join(tmpdir(), 'posthorn-test-'))
  const store = await openSqliteStore({ directory, maxPages: 400 })
  try {
    await using world = await openBindingWorld({ store, directory }, { log })
    await fillStore(store)
    return await world.build(MAIL)
  } finally {
    await store.close()
    await rm(directory, { recursive: true, force: true })
  }
}

test('a send that fails inside is in the log with whose it was, and with nothing of it', async () => {
  const lines: string[] = []
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    },
  })
  assert.equal(codeOf(await onFullDisk(openLog('info', destination))), 'E_INTERNAL_SERVER_ERROR')
  const [line = '', ...others] = lines.filter((text) => text.includes('workers: '))
  assert.equal(others.length, 0)
  const { account, worker, msg } = JSON.parse(line)
  assert.deepEqual([account, worker, msg], [ACCOUNT, 'mailer', 'workers: a send failed inside'])
  assert.doesNotMatch(line, /@|Hello/)
})

/** Rows that leave nothing behind share a world. */
const OWN_WORLD = new Set([
  ...['E_SENDER_NOT_VERIFIED', 'E_RECIPIENT_SUPPRESSED', 'E_DAILY_LIMIT_EXCEEDED'],
  ...['E_RATE_LIMIT_EXCEEDED', 'E_DELIVERY_FAILED'],
])

test('every code of the table is thrown by a send, with a message that says what was wrong', async (t) => {
  assert.equal(Object.keys(TABLE).length, 20)
  const { peers } = await startPeers(t)
  const tryRow = async (world: BindingWorld, code: string) => {
    const [send, words] = TABLE[code] ?? assert.fail()
    const sent = await countRows(world.store, 'message')
    const outcome = await send(world)
    assert.ok('code' in outcome, `${code}: it was sent`)
    assert.equal(outcome.code, code, outcome.message)
    assert.match(outcome.message, words)
    if (!SENT.has(code)) assert.equal(await countRows(world.store, 'message'), sent, `${code} sent nothing`)
  }
  await using at = await openTestStore('sqlite')
  await using world = await openBindingWorld(at, { peers })
  for (const code of Object.keys(TABLE).filter((code) => !OWN_WORLD.has(code))) {
    await t.test(code, () => tryRow(world, code))
  }
  for (const code of OWN_WORLD) {
    await t.test(code, async () => {
      await using place = await openTestStore('sqlite')
      await using own = await openBindingWorld(place, { peers, mostAtOnce: 3 })
      await tryRow(own, code)
    })
  }
})
const SENT = new Set(['E_DELIVERY_FAILED', 'E_RATE_LIMIT_EXCEEDED'])

test('E_DELIVERY_FAILED means everybody: one who took it, or may still take it, is enough', async (t) => {
  const { peers } = await startPeers(t)
  await using at = await openTestStore('sqlite')
  await using world = await openBindingWorld(at, { peers })
  const both = ['u@refuses.example', 'x@takes.example']
  assert.equal(codeOf(await world.build({ ...MAIL, to: both })), '')
  // Refused for good before, and suppressed since.
  assert.equal(codeOf(await world.build({ ...MAIL, to: 'u@refuses.example' })), 'E_RECIPIENT_SUPPRESSED')
  // Nobody listens there: it is tried again.
  assert.equal(codeOf(await world.build({ ...MAIL, to: ['v@refuses.example', 'x@gone.example'] })), '')
})

test('an account or a domain that is switched off, and an account that is gone', async () => {
  await using at = await openTestStore('sqlite')
  await using world = await openBindingWorld(at)
  const outcome = async () => {
    const answer = await world.build(MAIL)
    return 'code' in answer ? `${answer.code} ${answer.message}` : 'sent'
  }
  await world.store.commit([{ statement: disabled, params: ['one.example'] }])
  assert.match(
    await outcome(),
    /^E_SENDER_DOMAIN_NOT_AVAILABLE from: Sending is switched off for one\.example/,
  )
  await world.store.commit([{ statement: off, params: [ACCOUNT] }])
  assert.match(await outcome(), /^E_SENDER_DOMAIN_NOT_AVAILABLE Sending is switched off for this account/)
})

test('a domain that drops suppressed recipients sends to the others, and tells where nobody is left', async (t) => {
  const { takes, peers } = await startPeers(t)
  await using at = await openTestStore('sqlite')
  await using world = await openBindingWorld(at, { peers })
  const drops = statement('test.drops', `update domain set drop_suppressed_recipients = 1 where name = $1`)
  await world.store.commit([{ statement: drops, params: ['one.example'] }])
  await suppress(world, 'no@takes.example')
  made(await world.build({ ...MAIL, cc: 'no@takes.example' }))
  assert.equal(takes.messages.length, 1)
  const nobody = await world.build({ ...MAIL, to: 'no@takes.example' })
  assert.equal(codeOf(nobody), 'E_RECIPIENT_SUPPRESSED')
})

function reply(from: string, text: string) {
  const field = (address: string, pointer: string) => ({ address, pointer })
  return {
    from: 'Support@routed.example' as Address,
    submission: {
      kind: 'fields',
      ...{ from: field(from, '/from'), to: [field('stranger@takes.example', '/to')], cc: [], bcc: [] },
      ...{ subject: 'Re: Hello', text, attachments: [], headers: {} },
    },
  } as const
}

onBothEngines('a reply goes to a stranger from a domain that only routes, and only once', async (t, at) => {
  const { takes, peers } = await startPeers(t)
  await using world = await openBindingWorld(at, { peers })
  const first = made(
    await world.reply({ ...reply('support@routed.example', 'It is 10:00.'), repeatKey: 'a' }),
  )
  const second = made(
    await world.reply({ ...reply('support@routed.example', 'It is 10:05.'), repeatKey: 'a' }),
  )
  assert.equal(second, first)
  const together = await Promise.all(
    ['1', '2', '3'].map((text) => world.reply({ ...reply('help@routed.example', text), repeatKey: 'b' })),
  )
  assert.equal(new Set(together.map(made)).size, 1)
  assert.equal(takes.messages.length, 2)
  const accepted = (await eventsIn(world.store)).filter(({ type }) => type === 'accepted')
  assert.deepEqual(
    accepted.map(({ detail }) => detail['worker']),
    [
      { scriptName: 'mailer', call: 'reply' },
      { scriptName: 'mailer', call: 'reply' },
    ],
  )
})

test('a reply is from the domain that the message came to', async (t) => {
  const { takes, peers } = await startPeers(t)
  await using at = await openTestStore('sqlite')
  await using world = await openBindingWorld(at, { peers })
  const other = await world.reply({ ...reply('a@one.example', 'Hi'), repeatKey: 'a' })
  assert.equal(codeOf(other), 'E_SENDER_NOT_VERIFIED')
  const submission = {
    kind: 'raw',
    from: { address: 'support@routed.example', pointer: '/from' },
    recipients: [{ address: 'stranger@takes.example', pointer: '/to' }],
    ...{ mime: mime('boss@one.example'), mimePointer: '/raw' },
  } as const
  const from = 'support@routed.example' as Address
  assert.equal(codeOf(await world.reply({ from, submission, repeatKey: 'b' })), 'E_SENDER_NOT_VERIFIED')
  assert.equal(takes.messages.length, 0)
  const right = { ...submission, mime: mime('Help <help@routed.example>') }
  made(await world.reply({ from, submission: right, repeatKey: 'b' }))
  assert.equal(takes.messages.length, 1)
})
