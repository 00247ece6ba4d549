import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { dotStuff } from '#protocol/dot-stuffing.ts'
import { connectSmtp } from '#smtp/client.ts'
import type { SmtpConnection, TransactionResult } from '#smtp/smtp-connection.ts'
import { startSmtpServer } from '#test/smtp-server.ts'
import {
  createSimulator,
  SIMULATED,
  type SimulatedMessage,
  type SimulatorOptions,
  simulatedName,
} from './simulator.ts'

const CONTENT = Buffer.from('Subject: x\r\n\r\nhello\r\n')

async function start(t: TestContext, options: SimulatorOptions = {}) {
  const kept: SimulatedMessage[] = []
  const handler = createSimulator({
    keep: async (message) => void kept.push(message),
    slowMs: 100,
    ...options,
  })
  const server = await startSmtpServer(t, { handler, limits: { errors: Infinity } })
  return { kept, errors: server.errors, connect: () => connectTo(t, server.port) }
}

async function connectTo(t: TestContext, port: number): Promise<SmtpConnection> {
  const address = '127.0.0.1'
  const connection = await connectSmtp({
    host: 'mx.test',
    address,
    port,
    ehloName: 'client.test',
    tls: 'none',
  })
  assert.ok(connection.ok)
  t.after(() => connection.quit())
  return connection
}

function send(
  connection: SmtpConnection,
  rcptTo: string | string[],
  mailFrom = 'a@client.test',
): Promise<TransactionResult> {
  const content = { dotStuffed: dotStuff(CONTENT), size: CONTENT.length, eightBit: false, smtpUtf8: false }
  return connection.transact({ mailFrom, rcptTo, content })
}

function outcome(result: TransactionResult): string {
  if (result.kind === 'lost') return `lost at ${result.phase}`
  const { code, enhanced } = result.reply
  return result.kind === 'accepted' ? `${code}` : `${result.phase} ${code} ${enhanced}`
}

const OUTCOMES = {
  delivered: '250',
  bounce: 'rcpt 550 5.1.1',
  softbounce: 'rcpt 451 4.3.2',
  deferred: 'rcpt 451 4.3.2',
  full: 'rcpt 452 4.2.2',
  policy: 'rcpt 550 5.7.1',
  slow: '250',
  disconnect: 'lost at content',
  suppressed: 'rcpt 550 5.1.1',
  'late-bounce': 'rcpt 550 5.3.5',
  complaint: 'rcpt 550 5.3.5',
  nobody: 'rcpt 550 5.1.1',
}

test('each simulated recipient does what its name says, at any domain, with any label and in any case', async (t) => {
  const { connect, kept } = await start(t)
  for (const [name, expected] of Object.entries(OUTCOMES)) {
    for (const recipient of [`${name}@simulator.posthorn.test`, `${name.toUpperCase()}+l+1@example.com`]) {
      assert.equal(outcome(await send(await connect(), recipient)), expected, recipient)
    }
  }
  assert.deepEqual(
    kept.map(({ from, to }) => [from, ...to]),
    [
      ['a@client.test', 'delivered@simulator.posthorn.test'],
      ['a@client.test', 'DELIVERED+l+1@example.com'],
      ['a@client.test', 'slow@simulator.posthorn.test'],
      ['a@client.test', 'SLOW+l+1@example.com'],
    ],
  )
  assert.ok(kept.every(({ content }) => content.equals(CONTENT)))
})

test('the list names every recipient with an outcome, and an unknown one is told the list', async (t) => {
  assert.deepEqual([...SIMULATED.map(({ name }) => name), 'nobody'].sort(), Object.keys(OUTCOMES).sort())
  const result = await send(await (await start(t)).connect(), 'nobody@example.com')
  assert.ok(result.kind === 'refused')
  for (const { name, explanation } of SIMULATED) {
    assert.ok(result.reply.text.includes(name))
    assert.match(explanation, /^[^\n]{1,110}\.$/)
  }
})

test('softbounce refuses twice and then accepts, for each return path', async (t) => {
  const { connect, kept } = await start(t)
  const connection = await connect()
  for (const from of ['one@client.test', 'two@client.test', 'one@client.test']) {
    const outcomes: string[] = []
    for (let count = 0; count < 3; count++)
      outcomes.push(outcome(await send(connection, 'softbounce@s.test', from)))
    assert.deepEqual(outcomes, ['rcpt 451 4.3.2', 'rcpt 451 4.3.2', '250'])
  }
  assert.equal(kept.length, 3)
})

test('slow holds up nobody else', async (t) => {
  const { connect, kept } = await start(t)
  const slow = send(await connect(), 'slow@s.test')
  await send(await connect(), 'delivered@s.test')
  await slow
  assert.deepEqual(
    kept.flatMap(({ to }) => to),
    ['delivered@s.test', 'slow@s.test'],
  )
})

test('what could not be kept is not accepted', async (t) => {
  const { connect, errors } = await start(t, {
    keep: async () => {
      throw new Error('disk full')
    },
  })
  assert.equal(outcome(await send(await connect(), 'delivered@s.test')), 'content 451 4.3.0')
  assert.equal(errors.length, 1)
})

test('several recipients in one transaction: the refused are refused, the others share a fate', async (t) => {
  const { connect, kept } = await start(t)
  const result = await send(await connect(), ['bounce@s.test', 'delivered@s.test', 'delivered+2@s.test'])
  assert.ok(result.kind === 'accepted' && result.refused.length === 1)
  assert.deepEqual(kept[0]?.to, ['delivered@s.test', 'delivered+2@s.test'])
  assert.equal(
    outcome(await send(await connect(), ['disconnect@s.test', 'delivered@s.test'])),
    'lost at content',
  )
  assert.equal(kept.length, 1)
})

test('names are read from the local part alone', () => {
  assert.equal(simulatedName('bounce'), undefined)
  assert.equal(simulatedName('bounce+x@y'), 'bounce')
  assert.equal(simulatedName('__proto__@y'), undefined)
  assert.equal(simulatedName('bouncex@y'), undefined)
})
