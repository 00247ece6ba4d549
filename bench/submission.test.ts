import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { type CertificateAuthority, openCertificateAuthority } from '#net/certificate-authority.ts'
import type { SmtpHandler } from '#smtp/handler.ts'
import { startSmtpServer } from '#test/smtp-server.ts'
import { startChild } from './child.ts'
import { IdleAnswer } from './idle-connections.ts'
import { measureIdle } from './idle-round.ts'
import { measureRound } from './round.ts'
import type { StartPeer } from './stage.ts'
import { until } from './until.ts'

let folder = ''
let ca: CertificateAuthority
let stranger: CertificateAuthority
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'posthorn-bench-'))
  ca = await openCertificateAuthority({ folder: join(folder, 'ca'), serviceDomain: 'posthorn.test' })
  stranger = await openCertificateAuthority({
    folder: join(folder, 'other'),
    serviceDomain: 'posthorn.test',
  })
})
after(() => rm(folder, { recursive: true }))

const LOGIN = { username: 'api_token', password: 'secret' }

const options = {
  dir: tmpdir(),
  connections: 4,
  messages: 40,
  seconds: 30,
  warmup: 10,
  stalledMs: 300,
  signal: new AbortController().signal,
}

/** Our server with implicit TLS and AUTH, which hands each message on to the sink. */
function miniature(t: TestContext, handler: Partial<SmtpHandler> = {}, target: object = {}): StartPeer {
  return async ({ sinkPort }) => {
    const { port, server } = await startSmtpServer(t, {
      tls: { mode: 'implicit', context: () => ca.leaf },
      handler: {
        authenticate: async (_, username, password) =>
          username === LOGIN.username && password === LOGIN.password
            ? undefined
            : { code: 535, enhanced: '5.7.8', text: 'Authentication failed' },
        ...handingOn(sinkPort),
        ...handler,
      },
    })
    return {
      name: 'Miniature',
      pids: [process.pid],
      load: './smtp-load.ts',
      target: { host: 'localhost', port, ca: ca.certificatePath, login: LOGIN, ...target },
      lastWords: () => '',
      [Symbol.asyncDispose]: () => server.close({ graceMs: 0 }),
    }
  }
}

/** Takes a message whose recipient is the one in its header: the envelope of its neighbour would not be. The fifth
 *  content is refused all the same. */
function handingOn(sinkPort: number): Partial<SmtpHandler> {
  return {
    data: ({ envelope }) => {
      const to = envelope.to.join()
      const chunks: Buffer[] = []
      return {
        write: (chunk) => {
          chunks.push(chunk)
        },
        end: async () => {
          const content = Buffer.concat(chunks)
          const header = content.toString('latin1', 0, content.indexOf('\r\n\r\n'))
          if (!header.includes(`\r\nTo: ${to}\r\n`))
            return { code: 554, enhanced: '5.6.0', text: 'Not its envelope' }
          if (to.startsWith('user00000005@')) return { code: 554, enhanced: '5.7.1', text: 'Not this one' }
          await handOn(sinkPort, content)
          return { code: 250, enhanced: '2.0.0', text: 'Ok' }
        },
        abort: () => {},
      }
    },
  }
}

function handOn(port: number, content: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.write('MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n')
    socket.write(content)
    socket.write('.\r\nQUIT\r\n')
    socket.resume().on('close', () => resolve())
  })
}

test('a round over TLS with AUTH; refused envelopes and contents leave each session in step', async (t) => {
  let sessions = 0
  const handler: Partial<SmtpHandler> = {
    rcpt: (_, to) =>
      to.startsWith('user00000003@') ? { code: 550, enhanced: '5.1.1', text: 'No such user' } : undefined,
    close: () => {
      sessions++
    },
  }
  const round = await measureRound(miniature(t, handler), options)
  assert.deepEqual([round.lost, round.duplicated], [0, 0])
  assert.deepEqual([round.load.sent, round.load.queued], [40, 38])
  // One of each in the warm-up and one in the measured run.
  assert.deepEqual(
    round.load.refused.toSorted((a, b) => a - b),
    [3, 3, 5, 5],
  )
  const answers = ['550 5.1.1 No such user', '554 5.7.1 Not this one']
  assert.deepEqual(new Set(round.load.refusals), new Set(answers))
  // Kept connections: those of the warm-up and those of the measured run.
  assert.equal(sessions, 2 * options.connections)
})

test('a wrong password ends the round', async (t) => {
  const target = { login: { ...LOGIN, password: 'wrong' } }
  await assert.rejects(measureRound(miniature(t, {}, target), options), (error: Error) =>
    /535 5\.7\.8 Authentication failed/.test(String(error.cause)),
  )
})

test('a certificate of another authority ends the round', async (t) => {
  const target = { ca: stranger.certificatePath }
  await assert.rejects(measureRound(miniature(t, {}, target), options), (error: Error) =>
    /certificate/.test(String(error.cause)),
  )
})

test('idle connections stand until they are closed, and one that the server closes is missed', async (t) => {
  let greeted = 0
  const { port, server } = await startSmtpServer(t, {
    tls: { mode: 'implicit', context: () => ca.leaf },
    handler: {
      connect: () => {
        greeted++
        return undefined
      },
    },
  })
  await using holder = startChild('./idle-connections.ts', options.signal)
  const door = { host: '127.0.0.1', port, ca: ca.certificatePath }
  assert.equal(await holder.ask({ ask: 'open', door, connections: 30 }, IdleAnswer), 30)
  assert.deepEqual([greeted, server.connections], [30, 30])
  assert.equal(await holder.ask({ ask: 'open', door, connections: 5 }, IdleAnswer), 35)
  assert.equal(await holder.ask({ ask: 'close' }, IdleAnswer), 0)
  const patience = { every: 10, within: 5_000, signal: options.signal }
  assert.ok(await until(() => server.connections === 0, patience))

  assert.equal(await holder.ask({ ask: 'open', door, connections: 5 }, IdleAnswer), 5)
  await server.close({ graceMs: 0 })
  const standing = async () => await holder.ask({ ask: 'standing' }, IdleAnswer)
  assert.ok(await until(async () => (await standing()) === 0, patience))
})

test('a round beside idle connections', async (t) => {
  const round = await measureIdle(miniature(t), { ...options, idle: 25 })
  assert.deepEqual([round.lost, round.duplicated], [0, 0])
  assert.ok(round.beforeMiB > 0)
  assert.ok([...round.without, ...round.beside, round.ratio].every((value) => value > 0))
})

test('a server that drops an idle connection fails the round', async (t) => {
  let sessions = 0
  const handler: Partial<SmtpHandler> = {
    connect: (session) => {
      if (++sessions === 25) setTimeout(() => session.destroy(), 50)
      return undefined
    },
  }
  await assert.rejects(measureIdle(miniature(t, handler), { ...options, idle: 25 }), (error: Error) =>
    /Only 24 of 25 idle connections/.test(String(error.cause)),
  )
})
