import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import fc from 'fast-check'
import { openTestStore } from '#test/stores.ts'
import {
  messagesAfter,
  type OpenDoor,
  openSubmissionWorld,
  type SubmissionWorld,
} from '#test/submission-world.ts'

let open: Awaited<ReturnType<typeof openTestStore>>
let world: SubmissionWorld

before(async () => {
  open = await openTestStore('sqlite')
  world = await openSubmissionWorld(open)
})
after(() => open[Symbol.asyncDispose]())

/** What strangers and broken clients write, as strings of one character for each octet. */
const command = fc.constantFrom(
  'EHLO client.example',
  'HELO client.example',
  'MAIL FROM:<welcome@one.example>',
  'MAIL FROM:<welcome@one.example> SIZE=10 BODY=8BITMIME SMTPUTF8',
  'MAIL FROM:<>',
  'MAIL FROM:<a@elsewhere.example>',
  'RCPT TO:<recipient@example.com>',
  'RCPT TO:<"a b"@example.com>',
  'RCPT TO:<@a,@b:c@example.com>',
  'DATA',
  '.',
  '..',
  'From: welcome@one.example',
  'From: Welcome <welcome@one.example>, b@one.example',
  'Content-Type: multipart/mixed; boundary=b',
  '--b',
  '',
  'RSET',
  'NOOP',
  'QUIT',
  'VRFY a',
  'STARTTLS',
  'BDAT 10 LAST',
  'AUTH PLAIN',
  'AUTH LOGIN',
  'AUTH PLAIN AGFwaV90b2tlbgBndWVzcw==',
  'AUTH LOGIN YXBpX3Rva2Vu',
  'Z3Vlc3M=',
  '*',
)
const octets = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'))
const piece = fc.oneof(
  { weight: 6, arbitrary: command.map((line) => `${line}\r\n`) },
  { weight: 2, arbitrary: command },
  {
    weight: 1,
    arbitrary: fc.constantFrom('\r\n', '\r', '\n', '\0', '\r\n.\r\n', '\n.\n', ' ', ':', '<', '>'),
  },
  { weight: 1, arbitrary: octets(40) },
  {
    weight: 1,
    arbitrary: fc.tuple(octets(2), fc.integer({ min: 0, max: 3000 })).map(([text, n]) => text.repeat(n)),
  },
)
/** Each is one write. */
const writes = fc.array(
  fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join('')),
  { maxLength: 4 },
)

const BOUNDED = { numRuns: 100, interruptAfterTimeLimit: 2000, markInterruptAsFailure: false }

/** Over TLS, not greeted yet. */
async function dialled(door: OpenDoor): Promise<TLSSocket> {
  const socket = door.dial()
  await once(socket, 'secureConnect')
  return socket
}

/** Writes all of it, ends, and resolves with what was said until the server closed. */
async function pour(socket: TLSSocket, stream: readonly string[]): Promise<string> {
  let said = ''
  socket.on('data', (chunk: Buffer) => {
    said += chunk.toString('latin1')
  })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const deadline = setTimeout(() => socket.destroy(new Error('the server never closed')), 1000)
  for (const bytes of stream) {
    if (socket.destroyed) break
    socket.write(bytes, 'latin1')
    await new Promise(setImmediate)
  }
  socket.end()
  await closed
  clearTimeout(deadline)
  assert.ok(
    socket.errored === null || !/never closed/.test(socket.errored.message),
    'the server closes in the end',
  )
  return said
}

async function entered(door: OpenDoor): Promise<TLSSocket> {
  const socket = door.dial()
  const response = Buffer.from(`\0api_token\0${world.tokens.one}`).toString('base64')
  await once(socket, 'data')
  socket.write('EHLO client.example\r\n')
  await once(socket, 'data')
  socket.write(`AUTH PLAIN ${response}\r\n`)
  const [reply] = await once(socket, 'data')
  assert.match(String(reply), /^235 /)
  return socket
}

function noCallbackFailed(): void {
  assert.doesNotMatch(world.logged.join(''), /a callback failed/)
}

test('whatever a stranger writes: no message gets in, no callback fails, and the next one is served', async () => {
  await fc.assert(
    fc.asyncProperty(writes, async (stream) => {
      await using door = await world.open()
      const said = await pour(await dialled(door), stream)
      assert.doesNotMatch(said, /^(?:235|354)/m)
      const next = await entered(door)
      assert.equal(
        await pour(next, ['QUIT\r\n']),
        '221 smtp.mx.posthorn.test Posthorn Email ESMTP Service closing transmission channel\r\n',
      )
    }),
    BOUNDED,
  )
  assert.deepEqual(await messagesAfter(world), [])
  noCallbackFailed()
})

test('whatever a customer writes: exactly what was answered 250 2.0.0 Ok <…> is in the store', async () => {
  const transaction = fc.constantFrom(
    'MAIL FROM:<welcome@one.example>\r\nRCPT TO:<recipient@example.com>\r\nDATA\r\n',
    'MAIL FROM:<welcome@one.example>\r\nRCPT TO:<a@example.com>\r\nDATA\r\nFrom: welcome@one.example\r\n\r\nx\r\n.\r\n',
  )
  const stream = fc.array(
    fc.array(fc.oneof({ weight: 1, arbitrary: transaction }, { weight: 3, arbitrary: piece }), {
      maxLength: 8,
    }),
    { maxLength: 4 },
  )
  let accepted = 0
  await fc.assert(
    fc.asyncProperty(stream, async (pieces) => {
      await using door = await world.open()
      const said = await pour(
        await entered(door),
        pieces.map((each) => each.join('')),
      )
      accepted += said.match(/^250 2\.0\.0 Ok </gm)?.length ?? 0
      const next = await entered(door)
      assert.match(await pour(next, ['QUIT\r\n']), /^221 /)
    }),
    BOUNDED,
  )
  const messages = await messagesAfter(world)
  assert.equal(messages.length, accepted)
  for (const { accountId, content } of messages) {
    assert.equal(accountId, world.account.one)
    assert.doesNotMatch(content, /\r(?!\n)|(?<!\r)\n/)
  }
  noCallbackFailed()
})
