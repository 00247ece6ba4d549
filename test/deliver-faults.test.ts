import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { type Instance, startInstance } from '#test/instance.ts'
import { storedEvents } from '#test/stored-events.ts'

/** Delivery against a peer that is not ours: the npm package smtp-server, or a bare socket that misbehaves. */
const fast = { POSTHORN_RETRY_MS: '100,200,400', POSTHORN_SEND_WAIT_MS: '3000' }
const mail = (to: string) => ({ to, from: 'app@yourdomain.com', subject: to, text: '.\r\n..\r\nx' })

interface Peer extends AsyncDisposable {
  readonly port: number
  readonly received: { from: string; to: string[]; content: string; secure: boolean }[]
}

async function startPeer(options: SMTPServerOptions = {}, port = 0): Promise<Peer> {
  const received: Peer['received'] = []
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        received.push({
          from: mailFrom ? mailFrom.address : '',
          to: rcptTo.map(({ address }) => address),
          content: Buffer.concat(chunks).toString(),
          secure: session.secure,
        })
        done()
      })
    },
    ...options,
  })
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const address = server.server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    received,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

function events(instance: Instance) {
  return storedEvents(instance.directory).map(({ type, terminal, detail }) => ({
    type,
    terminal: terminal === 1,
    detail: JSON.parse(detail) as Record<string, unknown>,
  }))
}

async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
  const end = Date.now() + 15_000
  for (;;) {
    const seen = look()
    if (seen !== undefined && seen !== false) return seen
    if (Date.now() > end) throw new Error(`never: ${what}`)
    await sleep(25)
  }
}

test('the content arrives byte for byte, dots and all, with one recipient a transaction', async () => {
  await using peer = await startPeer()
  await using instance = await startInstance({ ...fast, POSTHORN_DEV_SINK: `127.0.0.1:${peer.port}` })
  const { body } = await instance.send({
    ...mail('a@peer.example'),
    to: ['a@peer.example', 'b@peer.example'],
  })
  assert.equal(body.result?.delivered.length, 2)
  assert.deepEqual(
    peer.received.map(({ to }) => to.length),
    [1, 1],
  )
  for (const { content } of peer.received) assert.match(content, /\r\n\.\r\n\.\.\r\nx\r\n/)
  assert.equal(new Set(peer.received.map(({ from }) => from)).size, 2)
})

test('STARTTLS is used where it is offered', async () => {
  await using peer = await startPeer({ disabledCommands: ['AUTH'] })
  await using instance = await startInstance({ ...fast, POSTHORN_DEV_SINK: `127.0.0.1:${peer.port}` })
  assert.equal((await instance.send(mail('tls@peer.example'))).body.result?.delivered.length, 1)
  assert.equal(peer.received[0]?.secure, true)
  assert.match(
    String(events(instance).find(({ type }) => type === 'delivered')?.detail['tls']),
    /^TLSv1\.[23] \S+$/,
  )
})

test('an unreachable host is one attempt for its lane, and everything arrives once it is back', async () => {
  const probe = await startPeer()
  const { port } = probe
  await probe[Symbol.asyncDispose]()
  await using instance = await startInstance({ ...fast, POSTHORN_DEV_SINK: `127.0.0.1:${port}` })
  const sent = await Promise.all(
    Array.from({ length: 20 }, (_, i) => instance.send(mail(`u${i}@down.example`))),
  )
  assert.ok(sent.every(({ body }) => body.result?.queued.length === 1))
  const deferred = events(instance).filter(({ type }) => type === 'deferred')
  assert.ok(deferred.length < 20, `${deferred.length} attempts for 20 messages in one lane`)
  assert.equal(deferred[0]?.detail['cause'], 'host-unreachable')
  await using peer = await startPeer({}, port)
  await until('20 delivered', () => peer.received.length >= 20)
  assert.equal(peer.received.length, 20)
})

test('what is never answered expires, with one terminal event', async () => {
  const probe = await startPeer()
  const { port } = probe
  await probe[Symbol.asyncDispose]()
  await using instance = await startInstance({
    ...fast,
    POSTHORN_EXPIRE_MS: '500',
    POSTHORN_DEV_SINK: `127.0.0.1:${port}`,
  })
  await instance.send(mail('gone@down.example'))
  const end = await until('a terminal event', () => events(instance).find(({ terminal }) => terminal))
  assert.equal(end.type, 'failed')
  assert.equal(end.detail['cause'], 'expired')
})

test('2xx, 4xx and 5xx at every phase are told apart', async () => {
  const answer = (address: string, phase: string) => {
    const [at, code] = address.split('@')[0]?.split('-') ?? []
    return at === phase ? Object.assign(new Error('scripted'), { responseCode: Number(code) }) : null
  }
  await using peer = await startPeer({
    onRcptTo: ({ address }, _session, done) => done(answer(address, 'rcpt')),
    onData(stream, session, done) {
      stream.resume()
      stream.on('end', () => done(answer(session.envelope.rcptTo[0]?.address ?? '', 'content')))
    },
  })
  await using instance = await startInstance({ ...fast, POSTHORN_DEV_SINK: `127.0.0.1:${peer.port}` })
  const { body } = await instance.send({
    ...mail('x@peer.example'),
    to: ['rcpt-450', 'rcpt-550', 'content-451', 'content-554', 'ok'].map((local) => `${local}@peer.example`),
  })
  assert.deepEqual(body.result?.delivered, ['ok@peer.example'])
  assert.deepEqual(body.result?.permanent_bounces.toSorted(), [
    'content-554@peer.example',
    'rcpt-550@peer.example',
  ])
  assert.deepEqual(body.result?.queued.toSorted(), ['content-451@peer.example', 'rcpt-450@peer.example'])
})

test('a peer that closes a kept connection costs no attempt', async () => {
  await using peer = await startPeer({ socketTimeout: 150 })
  await using instance = await startInstance({ ...fast, POSTHORN_DEV_SINK: `127.0.0.1:${peer.port}` })
  for (let i = 0; i < 3; i++) {
    assert.equal((await instance.send(mail(`n${i}@peer.example`))).body.result?.delivered.length, 1)
    await sleep(300)
  }
  assert.equal(events(instance).filter(({ type }) => type === 'deferred').length, 0)
})

test('a peer that talks nonsense defers, and the service goes on', async () => {
  const nonsense: Server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.write(`${'nonsense '.repeat(1000)}\r\n`)
  })
  await new Promise<void>((resolve) => nonsense.listen(0, '127.0.0.1', resolve))
  const address = nonsense.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  await using instance = await startInstance({ ...fast, POSTHORN_DEV_SINK: `127.0.0.1:${address.port}` })
  assert.equal((await instance.send(mail('x@nonsense.example'))).body.result?.queued.length, 1)
  assert.equal(
    (await instance.send(mail('delivered@simulator.posthorn.test'))).body.result?.delivered.length,
    1,
  )
  nonsense.close()
})

test('a large message to a verified destination travels from its file', async () => {
  await using peer = await startPeer({ size: 40 * 1_048_576 })
  await using instance = await startInstance({ ...fast, POSTHORN_DEV_SINK: `127.0.0.1:${peer.port}` })
  const content = Buffer.alloc(3 * 1_048_576, 7).toString('base64')
  const attachments = [
    { content, filename: 'big.bin', type: 'application/octet-stream', disposition: 'attachment' },
  ]
  const { body } = await instance.send({ ...mail('big@peer.example'), attachments })
  assert.equal(body.result?.delivered.length, 1)
  assert.ok((peer.received[0]?.content.length ?? 0) > 4 * 1_048_576)
})

test('a peer that never says a word holds up itself alone, for as long as it is given', async () => {
  const silent = createServer(() => undefined)
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const address = silent.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  await using instance = await startInstance({
    ...fast,
    POSTHORN_SMTP_TIMEOUT_MS: '300',
    POSTHORN_DEV_SINK: `127.0.0.1:${address.port}`,
  })
  const [hole, other] = await Promise.all([
    instance.send(mail('x@silent.example')),
    instance.send(mail('delivered@simulator.posthorn.test')),
  ])
  assert.equal(hole.body.result?.queued.length, 1)
  assert.equal(other.body.result?.delivered.length, 1)
  const deferred = await until('a deferral', () => events(instance).find(({ type }) => type === 'deferred'))
  assert.equal(deferred.detail['cause'], 'host-unreachable')
  silent.close()
})
