import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { Address } from '#model/address.ts'
import { statement } from '#store/store.ts'
import { eventsIn, until } from '#test/outbound.ts'
import { onBothEngines, openTestStore } from '#test/stores.ts'
import { playSubmission, readSubmissionDialogue } from '#test/submission-dialogue.ts'
import {
  messagesAfter,
  type OpenDoor,
  openSubmissionWorld,
  type SubmissionWorld,
} from '#test/submission-world.ts'

const speak = (world: SubmissionWorld, script: string) =>
  playSubmission(world, readSubmissionDialogue(script.replaceAll(/^ +/gm, '')))

const quotaUsed = statement<{ readonly recipients: number }>(
  'test.quota-used',
  'select coalesce(sum(recipients), 0) as recipients from quota_usage',
)

onBothEngines(
  'suppressed recipients are dropped silently: each leaves an event, none uses up quota',
  async (_t, open) => {
    const world = await openSubmissionWorld(open)
    const suppress = (email: string) =>
      world.suppressions.addManual(world.account.one, {
        email: email as Address,
        expiresAt: null,
        note: null,
      })
    await suppress('no@example.com')
    await suppress('never@example.com')

    await speak(
      world,
      `# recipients: yes@example.com
      (login)
      C: MAIL FROM:<welcome@{domain}>
      S: 250 2.1.0 Ok
      C: RCPT TO:<yes@example.com>
      S: 250 2.1.5 Ok
      C: RCPT TO:<NO@example.com>
      S: 250 2.1.5 Ok
      C: DATA
      S: 354 …
      C: From: welcome@{domain}
      C:
      C: .
      S: 250 2.0.0 Ok <…`,
    )
    assert.deepEqual(await rejectedIn(world), ['NO@example.com'])
    assert.equal(Number((await world.store.get(quotaUsed, []))?.recipients), 1)

    await speak(
      world,
      `(login)
      C: MAIL FROM:<welcome@{domain}>
      S: 250 2.1.0 Ok
      C: RCPT TO:<no@example.com>
      S: 250 2.1.5 Ok
      C: RCPT TO:<never@example.com>
      S: 250 2.1.5 Ok
      C: DATA
      S: 354 …
      C: From: welcome@{domain}
      C:
      C: .
      S: 250 2.0.0 Ok <…`,
    )
    assert.deepEqual(await rejectedIn(world), ['NO@example.com', 'never@example.com', 'no@example.com'])
    assert.deepEqual((await messagesAfter(world)).at(-1)?.recipients, [])
    assert.equal(Number((await world.store.get(quotaUsed, []))?.recipients), 1)
  },
)

async function rejectedIn({ store }: SubmissionWorld): Promise<string[]> {
  const events = await eventsIn(store)
  return events
    .filter(({ type, detail }) => type === 'rejected' && detail.cause === 'suppressed')
    .map(({ detail }) => String(detail.recipient))
    .toSorted()
}

onBothEngines('headers that were taken out are named in the log of the message', async (_t, open) => {
  const world = await openSubmissionWorld(open)
  await speak(
    world,
    `(data)
    C: Received: from somewhere
    C: From: welcome@{domain}
    C: User-Agent: secretive client
    C: Bcc: hidden@example.com
    C: thread-topic: Hello
    C: User-Agent: again
    C: X-Mailer: kept
    C:
    C: .
    S: 250 2.0.0 Ok <…`,
  )
  const [accepted] = await eventsIn(open.store)
  assert.equal(accepted?.type, 'accepted')
  assert.deepEqual(accepted.detail.removedHeaders, ['User-Agent', 'Bcc', 'thread-topic'])
  assert.doesNotMatch(world.logged.join(''), /secretive|hidden@/)
})

onBothEngines(
  "each message of a user's session belongs to the account that has its sender",
  async (_t, open) => {
    const world = await openSubmissionWorld(open)
    const transaction = (from: string) => `
    C: MAIL FROM:<${from}>
    S: 250 2.1.0 Ok
    C: RCPT TO:<recipient@example.com>
    S: 250 2.1.5 Ok
    C: DATA
    S: 354 …
    C: From: ${from}
    C:
    C: .
    S: 250 2.0.0 Ok <…`
    const [one, two] = [transaction('welcome@{domain}'), transaction('welcome@{other-domain}')]
    await speak(world, `(login user-owned)${one}${two}${one}`)
    const messages = await messagesAfter(world)
    assert.deepEqual(
      messages.map(({ accountId, content }) => [accountId, /\bd=([a-z.]+);/.exec(content)?.[1]]),
      [
        [world.account.one, 'one.example'],
        [world.account.two, 'two.example'],
        [world.account.one, 'one.example'],
      ],
    )
  },
)

onBothEngines('refused logins are told apart in the log alone, and wait for their turn', async (_t, open) => {
  const world = await openSubmissionWorld(open)
  const waits: number[] = []
  const sleep = async (ms: number) => {
    waits.push(ms)
  }
  await using door = await world.open({ sleep })
  const kinds = ['unknown', 'revoked', 'expired', 'no-permission'] as const
  for (const kind of kinds) {
    const session = await dialIn(door)
    for (let time = 0; time < 2; time += 1) await session.login(world.tokens[kind], /^535 5\.7\.8 /)
  }
  const session = await dialIn(door)
  await session.login(world.tokens.one, /^235 2\.7\.0 /)
  assert.deepEqual(waits, [100, 141, 200, 283])
  const refused = world.logged
    .map((line): unknown => JSON.parse(line))
    .filter((entry) => isRefusal(entry))
    .map(({ fault, owner }) => [fault, owner])
  const { one } = world.account
  assert.deepEqual(refused, [
    ['unknown', undefined],
    ['unknown', undefined],
    ['revoked', one],
    ['revoked', one],
    ['expired', one],
  ])
})

interface LoginRefusal {
  readonly msg: 'submission: login refused'
  readonly fault: string
  readonly owner?: string
}

function isRefusal(entry: unknown): entry is LoginRefusal {
  return (
    typeof entry === 'object' && entry !== null && 'msg' in entry && entry.msg === 'submission: login refused'
  )
}

/** A client that was greeted and has said EHLO. */
async function dialIn(door: OpenDoor) {
  const socket = door.dial()
  let said = ''
  socket.on('data', (chunk: Buffer) => {
    said += chunk.toString('latin1')
  })
  const ask = async (line: string, reply: RegExp) => {
    said = ''
    socket.write(`${line}\r\n`)
    await until(`${line.slice(0, 80)} is answered`, () => /^\d{3} .*\r\n$/m.exec(said) !== null)
    assert.match(said, reply)
  }
  await until('it is greeted', () => said.endsWith('\r\n'))
  await ask('EHLO client.example', /^250 /m)
  return { socket, ask, login: (token: string, reply: RegExp) => ask(`AUTH PLAIN ${plain(token)}`, reply) }
}

onBothEngines('who vanishes while the token is looked up is not counted for ever', async (_t, open) => {
  const world = await openSubmissionWorld(open)
  await using door = await world.open({ connectionsPerAccount: 1 })
  for (let time = 0; time < 10; time += 1) {
    const { secret } = await world.newToken()
    const socket = door.dial()
    await once(socket, 'data')
    const response = Buffer.from(`\0api_token\0${secret}`).toString('base64')
    socket.write(`EHLO client.example\r\nAUTH PLAIN ${response}\r\n`)
    // Sometimes before, sometimes while, sometimes after.
    await new Promise((resolve) => setTimeout(resolve, time / 3))
    socket.destroy()
    await until('the connection is gone', () => door.server.connections === 0)
  }
  const socket = door.dial()
  await once(socket, 'data')
  const response = Buffer.from(`\0api_token\0${world.tokens.one}`).toString('base64')
  socket.write(`EHLO client.example\r\nAUTH PLAIN ${response}\r\n`)
  let said = ''
  socket.on('data', (chunk: Buffer) => {
    said += chunk.toString('latin1')
  })
  await until('it is let in', () => /^(?:235|421)/m.exec(said) !== null)
  assert.match(said, /^235 2\.7\.0 /m)
})

onBothEngines(
  'a store that is out of reach: 454 to AUTH, 451 to mail, and the session goes on',
  async (_t, open) => {
    const world = await openSubmissionWorld(open)
    await using door = await world.open()
    const session = await dialIn(door)
    await session.login(world.tokens.one, /^235 2\.7\.0 /)
    await session.ask('MAIL FROM:<welcome@one.example>', /^250 2\.1\.0 /)
    await session.ask('RCPT TO:<recipient@example.com>', /^250 2\.1\.5 /)
    await open.close()
    await session.ask('DATA', /^354 /)
    await session.ask('From: welcome@one.example\r\n\r\n.', /^451 4\.3\.0 /)
    await session.ask('MAIL FROM:<welcome@sub.one.example>', /^451 4\.3\.0 /)
    await session.ask('NOOP', /^250 /)
    const late = await dialIn(door)
    await late.login(world.tokens['other-account'], /^454 4\.7\.0 /)
    await late.ask('MAIL FROM:<welcome@two.example>', /^530 5\.7\.0 /)
  },
)

const switchAccountOff = statement('test.account-off', 'update account set sending_enabled = 0 where id = $1')

onBothEngines(
  'an account that is switched off sends no more, not even what it has begun',
  async (_t, open) => {
    let now = Date.now()
    const world = await openSubmissionWorld(open, () => now)
    await using door = await world.open()
    const begun = async () => {
      const session = await dialIn(door)
      await session.login(world.tokens.one, /^235 /)
      await session.ask('MAIL FROM:<welcome@one.example>', /^250 /)
      await session.ask('RCPT TO:<recipient@example.com>', /^250 /)
      return session
    }
    const atData = await begun()
    const inContent = await begun()
    await inContent.ask('DATA', /^354 /)
    await open.store.commit([{ statement: switchAccountOff, params: [world.account.one] }])
    // Caches of tokens and accounts live 5 s.
    now += 5001
    const refusal = /^550 5\.7\.1 Sender denied: Sending is switched off for this account\./
    await atData.ask('DATA', refusal)
    await inContent.ask('From: welcome@one.example\r\n\r\nx\r\n.', refusal)
    await inContent.ask('MAIL FROM:<welcome@one.example>', refusal)
    assert.deepEqual(await messagesAfter(world), [])
  },
)

onBothEngines(
  'large contents are read one at a time, accounts in turn, and small ones pass them',
  async (_t, open) => {
    const world = await openSubmissionWorld(open)
    const { acceptor, account, tokens } = world
    const begun: string[] = []
    const released = Promise.withResolvers<void>()
    let running = 0
    let most = 0
    await using door = await world.open({
      acceptor: {
        ...acceptor,
        async accept(submission, by, how) {
          const isLarge = submission.kind === 'raw' && submission.mime.length > 256 * 1024
          begun.push(`${isLarge ? 'large' : 'small'} of ${by.accountId === account.one ? 'one' : 'two'}`)
          if (!isLarge) return acceptor.accept(submission, by, how)
          running += 1
          most = Math.max(most, running)
          await released.promise
          const outcome = await acceptor.accept(submission, by, how)
          running -= 1
          return outcome
        },
      },
    })
    const send = async (token: string, from: string, octets: number) => {
      const session = await dialIn(door)
      await session.login(token, /^235 /)
      await session.ask(`MAIL FROM:<${from}>`, /^250 /)
      await session.ask('RCPT TO:<recipient@example.com>', /^250 /)
      await session.ask('DATA', /^354 /)
      const body = `${'x'.repeat(70)}\r\n`.repeat(octets / 72)
      await session.ask(`From: ${from}\r\n\r\n${body}.`, /^250 2\.0\.0 Ok </)
    }
    const ofOne = (octets: number) => send(tokens.one, 'welcome@one.example', octets)
    const large = [ofOne(400_000), ofOne(400_000), ofOne(400_000)]
    await until('the first one is being read', () => begun.length === 1)
    // Those behind it have arrived, one after the other on the same machine.
    await new Promise((resolve) => setTimeout(resolve, 200))
    large.push(send(tokens['other-account'], 'welcome@two.example', 400_000))
    await new Promise((resolve) => setTimeout(resolve, 200))
    await ofOne(1000)
    assert.deepEqual(begun, ['large of one', 'small of one'])
    released.resolve()
    await Promise.all(large)
    assert.deepEqual(begun.slice(2).toSorted(), ['large of one', 'large of one', 'large of two'])
    assert.notEqual(begun.at(-1), 'large of two')
    assert.equal(most, 1)
  },
)

function plain(token: string): string {
  return Buffer.from(`\0api_token\0${token}`).toString('base64')
}

test('who speaks in clear hears no SMTP, and the next one is served', async () => {
  await using open = await openTestStore('sqlite')
  const world = await openSubmissionWorld(open)
  await using door = await world.open({ limits: { handshakeMs: 700 } })
  for (const opening of [
    'EHLO client.example\r\nAUTH PLAIN AAAA\r\n',
    'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n',
    'PROXY TCP4 192.0.2.1 192.0.2.2 1234 465\r\n',
    '\x16\x03\x01\x40\x00',
    '\0'.repeat(100_000),
  ]) {
    const socket = connect({ port: door.port, host: '127.0.0.1' })
    let said = ''
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.end(opening, 'latin1')
    await new Promise((resolve) => socket.once('close', resolve))
    assert.doesNotMatch(said, /220|SMTP|posthorn/i)
  }
  await speak(world, '(login)')
  await until('they are gone', () => door.server.connections === 0)
  const socket = door.dial()
  const [greeting] = await once(socket, 'data')
  assert.match(String(greeting), /^220 /)
})
