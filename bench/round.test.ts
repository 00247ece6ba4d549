import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { z } from 'zod'
import { measureRound } from './round.ts'
import type { Peer, PeerSetup } from './stage.ts'

/** A server in miniature: takes what the generator posts, and hands each message to the sink as often as `copies`
 *  says; a negative number refuses it. */
function startMiniature(copies: (id: string) => number) {
  return async ({ sinkPort }: PeerSetup): Promise<Peer> => {
    const server = createServer((request, response) => {
      void answer(request, response)
    })
    async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
      const message = await readRequest(request)
      const id = message.headers['X-Bench-Id'] ?? ''
      const times = copies(id)
      for (let i = 0; i < times; i++) await handOn(sinkPort, id)
      const result = {
        delivered: [message.to],
        permanent_bounces: [],
        queued: [],
        message_id: id,
        suppressed_recipients: [],
      }
      const body = JSON.stringify({ success: times >= 0, errors: [], messages: [], result })
      response.writeHead(times < 0 ? 500 : 200, { 'Content-Length': Buffer.byteLength(body) }).end(body)
    }
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    return {
      name: 'Miniature',
      pids: [process.pid],
      load: './rest-load.ts',
      target: { host: '127.0.0.1', port, path: '/send', token: 'secret' },
      lastWords: () => '',
      async [Symbol.asyncDispose]() {
        await new Promise((resolve) => server.close(resolve))
      },
    }
  }
}

const Message = z.object({
  to: z.string(),
  text: z.string(),
  html: z.string(),
  headers: z.record(z.string(), z.string()),
})

async function readRequest(request: IncomingMessage): Promise<z.infer<typeof Message>> {
  assert.equal(request.headers.authorization, 'Bearer secret')
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(z.instanceof(Buffer).parse(chunk))
  return Message.parse(JSON.parse(Buffer.concat(chunks).toString()))
}

function handOn(port: number, id: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.write(
      `MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\nX-Bench-Id: ${id}\r\n\r\nHello\r\n.\r\nQUIT\r\n`,
    )
    socket.resume().on('close', () => resolve())
  })
}

const options = {
  dir: tmpdir(),
  connections: 4,
  messages: 40,
  seconds: 30,
  warmup: 10,
  stalledMs: 300,
  signal: new AbortController().signal,
}

test('a round in which every message arrives once', async () => {
  const round = await measureRound(
    startMiniature(() => 1),
    options,
  )
  assert.deepEqual([round.lost, round.duplicated, round.load.refused], [0, 0, []])
  assert.deepEqual([round.load.sent, round.load.delivered], [40, 40])
  assert.ok(round.lastAt > round.firstAt && round.perSecond > 0 && round.peakMiB > 0)
})

test('lost, duplicated and refused messages are told apart', async () => {
  const copies = (id: string) => (id.endsWith('03') ? 0 : id.endsWith('05') ? 3 : id.endsWith('07') ? -1 : 1)
  const round = await measureRound(startMiniature(copies), options)
  // One of each in the warm-up and one in the measured run.
  assert.deepEqual([round.lost, round.duplicated, round.load.refused], [2, 4, [7, 7]])
  assert.equal(round.load.refusals.length, 2)
  assert.match(round.load.refusals[0] ?? '', /^500 \{"success":false/)
})

test('a server that does not speak HTTP ends the round', async () => {
  const failing = async (setup: PeerSetup) => {
    const peer = await startMiniature(() => 1)(setup)
    return { ...peer, target: { ...peer.target, port: setup.sinkPort } }
  }
  await assert.rejects(measureRound(failing, options), /The round with Miniature failed/)
})
