import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { startChild } from './child.ts'
import { SinkCopies, SinkPort, SinkProgress } from './sink.ts'

const signal = new AbortController().signal

/** Talks to the sink and gives all it said, with the input written in pieces of `size` bytes. */
async function dialogue(port: number, lines: string, size: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const bytes = Buffer.from(lines.replaceAll('\n', '\r\n'))
  let heard = ''
  socket.on('data', (chunk) => {
    heard += chunk.toString('latin1')
  })
  for (let at = 0; at < bytes.length; at += size) {
    await new Promise((resolve) => socket.write(bytes.subarray(at, at + size), resolve))
  }
  await new Promise((resolve) => socket.on('close', resolve))
  return heard
}

function transaction(header: string, body = 'Hello\n..\n. \n'): string {
  return `MAIL FROM:<a@b.example>\nRCPT TO:<c@d.example>\nDATA\n${header}\n\n${body}.\n`
}

test('the sink counts every copy of every id, however the bytes are cut', async () => {
  await using sink = startChild('./sink.ts', signal)
  const port = await sink.ask({ ask: 'port' }, SinkPort)
  const session =
    'EHLO me\n' +
    transaction('Subject: one\nX-Bench-Id: m-1') +
    transaction('x-bench-ID:\tm-2\nSubject: two') +
    transaction('X-Bench-Id: m-1') +
    transaction('Message-ID: <w-7@d.example>', 'X-Bench-Id: m-9\n') +
    'QUIT\n'
  for (const size of [1, 2, 3, 7, 64, 10_000]) {
    const heard = await dialogue(port, session, size)
    assert.equal(heard.match(/^354/gm)?.length, 4)
    assert.match(heard, /221 2\.0\.0 Bye\r\n$/)
  }
  assert.deepEqual(await sink.ask({ ask: 'copies', phase: 'm' }, SinkCopies), [
    ['m-1', 12],
    ['m-2', 6],
  ])
  const progress = await sink.ask({ ask: 'progress', phase: 'm' }, SinkProgress)
  assert.equal(progress.distinct, 2)
  assert.equal(progress.copies, 18)
  assert.ok(progress.lastNewAt > 0)
  assert.equal((await sink.ask({ ask: 'progress', phase: 'w' }, SinkProgress)).copies, 6)
})

test('a message without its final dot is not counted', async () => {
  await using sink = startChild('./sink.ts', signal)
  const port = await sink.ask({ ask: 'port' }, SinkPort)
  const socket = connect({ port, host: '127.0.0.1' })
  socket.write('MAIL FROM:<>\r\nRCPT TO:<c@d.example>\r\nDATA\r\nX-Bench-Id: m-1\r\n\r\nHello\r\n')
  await new Promise<void>((resolve) => socket.on('data', (chunk) => chunk.includes('354') && resolve()))
  socket.destroy()
  assert.deepEqual(await sink.ask({ ask: 'copies', phase: 'm' }, SinkCopies), [])
})
