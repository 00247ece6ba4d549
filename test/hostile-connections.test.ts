import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Instance, startInstance } from '#test/instance.ts'

let instance: Instance

before(async () => {
  instance = await startInstance()
})
after(async () => instance[Symbol.asyncDispose]())

const mail = { to: 'x@example.com', from: 'a@yourdomain.com', subject: 's', text: 't' }

function dial(): Socket {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(instance.dev.api).port) })
  socket.on('error', () => undefined)
  return socket
}

/** Writes and returns all that comes back until the connection ends or `ms` pass. */
async function talk(text: string, ms = 3000): Promise<string> {
  const socket = dial()
  let answer = ''
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString()
  })
  socket.write(text)
  await Promise.race([new Promise((resolve) => socket.once('close', resolve)), sleep(ms)])
  socket.destroy()
  return answer
}

function post(body: object, headers = ''): string {
  const text = JSON.stringify(body)
  return `POST /client/v4/accounts/${instance.dev.account_id}/email/sending/send HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${instance.dev.api_token}\r\n${headers}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
}

function residentMebibytes(): number {
  const status = readFileSync(`/proc/${instance.process.pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024
}

test('announced bodies that never come use up no room', async () => {
  const ask = (method: string, path: string, more = '') =>
    talk(
      `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${more}Content-Length: 40000000\r\n\r\n`,
      200,
    )
  const path = `/client/v4/accounts/${instance.dev.account_id}/email/sending/send`
  await Promise.all(Array.from({ length: 10 }, () => ask('GET', '/api/v1/messages')))
  await Promise.all(Array.from({ length: 10 }, () => ask('GET', '/nothing')))
  await Promise.all(Array.from({ length: 10 }, () => ask('PUT', '/api/v1/messages')))
  await Promise.all(Array.from({ length: 10 }, () => ask('POST', path)))
  const authorized = `Authorization: Bearer ${instance.dev.api_token}\r\n`
  await Promise.all(Array.from({ length: 10 }, () => ask('POST', path, `${authorized}Content-Type: ;;;\r\n`)))
  assert.equal((await instance.send(mail)).status, 200)
})

test('a stranger’s endless body is not kept', async () => {
  const before = residentMebibytes()
  const chunk = Buffer.alloc(1_048_576, 0x20)
  const head = `POST /client/v4/accounts/${instance.dev.account_id}/email/sending/send HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n`
  const sockets = Array.from({ length: 5 }, () => dial())
  await Promise.all(
    sockets.map(async (socket) => {
      socket.write(head)
      for (let i = 0; i < 40 && !socket.destroyed; i++) {
        socket.write(`${chunk.length.toString(16)}\r\n`)
        socket.write(chunk)
        if (!socket.write('\r\n'))
          await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), sleep(500)])
      }
    }),
  )
  const grown = residentMebibytes() - before
  for (const socket of sockets) socket.destroy()
  assert.ok(grown < 150, `${Math.round(grown)} MiB more for 200 MiB that nobody asked for`)
  assert.equal((await instance.send(mail)).status, 200)
})

test('garbage behind a request does not take its answer away', async () => {
  const answer = await talk(
    `${post({ ...mail, to: 'slow+garbage@simulator.posthorn.test' })}GARBAGE\r\n\r\n`,
    9000,
  )
  assert.match(answer, /^HTTP\/1\.1 200 OK[\s\S]*"delivered":\["slow\+garbage@/)
})

test('what is not HTTP gets the envelope', async () => {
  assert.match(await talk('GARBAGE\r\n\r\n'), /^HTTP\/1\.1 400 [\s\S]*"success":false/)
  assert.match(
    await talk('GET /client/v4/x HTTP/1.1\r\nConnection: close\r\n\r\n'),
    /^HTTP\/1\.1 421 [\s\S]*"success":false/,
  )
})

test('a Content-Type that makes no sense changes nothing: the route says JSON', async () => {
  for (const type of ['', ';;;', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    const answer = await talk(post(mail, `Content-Type: ${type}\r\nConnection: close\r\n`))
    assert.match(answer, /^HTTP\/1\.1 200 /, `"${type}": ${answer}`)
  }
})

test('many large messages at once are accepted or asked to come back, in bounded memory', async () => {
  const content = Buffer.alloc(3 * 1_048_576, 1).toString('base64')
  const attachments = [
    { content, filename: 'a', type: 'application/octet-stream', disposition: 'attachment' },
  ]
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, i) => instance.send({ ...mail, to: `l${i}@example.com`, attachments })),
  )
  for (const { status } of answers) assert.ok(status === 200 || status === 429)
  assert.equal((await instance.send(mail)).status, 200)
})
