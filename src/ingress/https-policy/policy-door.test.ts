// @peculiar/x509 throws without it.
import 'reflect-metadata'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as httpsRequest } from 'node:https'
import { connect as connectTcp, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect, createSecureContext } from 'node:tls'
import fc from 'fast-check'
import { openLog } from '#observe/log.ts'
import { until } from '#test/outbound.ts'
import { openTestAuthority } from '#test/test-authority.ts'
import { openPolicyCertificates } from './policy-certificates.ts'
import { openPolicyDoor, type PolicyDoorLimits } from './policy-door.ts'

const authority = openTestAuthority()
const OURS = 'mta-sts.yourdomain.example'
const SERVICE = 'mta-sts.mx.service.example'
const TEXT = 'version: STSv1\r\nmode: none\r\nmax_age: 86400\r\n'
const PATH = '/.well-known/mta-sts.txt'

async function openDoor(t: TestContext, limits: Partial<PolicyDoorLimits> = {}) {
  const issuer = await authority
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-policy-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const log = openLog('silent')
  const shown = createSecureContext(await issuer.issue([SERVICE]))
  const looked: string[] = []
  const policyAt = async (host: string) => {
    looked.push(host)
    if (host === 'mta-sts.broken.example') throw new Error('the database is out of reach')
    return host === OURS || host === SERVICE ? TEXT : undefined
  }
  const certificates = openPolicyCertificates({
    ...{ folder, log, everyMs: 100 },
    fallback: () => shown,
    isOurs: async (host) => (await policyAt(host)) !== undefined,
  })
  t.after(() => certificates.close())
  const context = (host: string) => certificates.context(host)
  const told: (number | string)[] = []
  const onAnswer = (status: number | string) => void told.push(status)
  const door = await openPolicyDoor({ port: 0, policyAt, context, log, limits, onAnswer })
  t.after(() => door.close())

  async function put(path: string, names: readonly string[], file: 'certbot' | 'flat'): Promise<void> {
    const { cert, key } = await issuer.issue(names)
    if (file === 'certbot') await mkdir(join(folder, path), { recursive: true })
    const paths = {
      certbot: [`${path}/fullchain.pem`, `${path}/privkey.pem`],
      flat: [`${path}.crt`, `${path}.key`],
    }
    const [certificate = '', secret = ''] = paths[file]
    await writeFile(join(folder, secret), key)
    await writeFile(join(folder, certificate), cert)
  }

  /** As a sender asks: for a host, with its certificate verified unless told otherwise. */
  function ask(
    host: string,
    { method = 'GET', path = PATH, sni = host } = {},
  ): Promise<{ status: number; headers: Record<string, unknown>; body: string }> {
    return new Promise((resolve, reject) => {
      const asked = httpsRequest(
        {
          ...{ host: '127.0.0.1', port: door.port, method, path, servername: sni, agent: false },
          ...{ ca: issuer.certificate, headers: { host } },
        },
        (response) => {
          let body = ''
          response.setEncoding('utf8')
          response.on('data', (text: string) => (body += text))
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          )
        },
      )
      asked.on('error', reject)
      asked.end()
    })
  }

  async function raw(text: string): Promise<string> {
    const socket = connect({
      host: '127.0.0.1',
      port: door.port,
      servername: SERVICE,
      ca: issuer.certificate,
    })
    await once(socket, 'secureConnect')
    let said = ''
    socket.on('data', (bytes) => (said += bytes.toString('latin1')))
    // The door ends what it does not like.
    socket.on('error', () => {})
    socket.write(text, 'latin1')
    await once(socket, 'close')
    return said
  }

  const broken = (file: string) => writeFile(join(folder, file), 'no certificate')

  return { door, ask, raw, put, broken, looked, told }
}

test('whoever counts is told of each answer, and of handshakes that came to nothing', async (t) => {
  const { door, ask, told } = await openDoor(t)
  await ask(SERVICE)
  await ask(SERVICE, { path: '/' })
  await ask(SERVICE, { method: 'DELETE' })
  const stranger = connectTcp(door.port, '127.0.0.1')
  stranger.on('error', () => {})
  stranger.write('GET / HTTP/1.1\r\n\r\n')
  await until('four answers', () => told.length >= 4)
  assert.deepEqual(told, [200, 404, 405, 'no-handshake'])
})

test('RFC 8461 §3.3: a policy is at its host, as text/plain, for GET and HEAD', async (t) => {
  const { ask } = await openDoor(t)
  const got = await ask(SERVICE)
  assert.deepEqual([got.status, got.headers['content-type'], got.body], [200, 'text/plain', TEXT])
  const head = await ask(SERVICE, { method: 'HEAD' })
  assert.deepEqual([head.status, head.headers['content-length'], head.body], [200, String(TEXT.length), ''])
  assert.equal((await ask(`${SERVICE.toUpperCase()}.:443`, { sni: SERVICE })).body, TEXT)
})

test('what is none of ours is not there, whatever is asked of it', async (t) => {
  const { ask, raw } = await openDoor(t)
  const stranger = { sni: SERVICE }
  for (const host of [
    'mta-sts.other.example',
    'yourdomain.example',
    'localhost',
    '127.0.0.1',
    'x'.repeat(300),
  ])
    assert.equal((await ask(host, stranger)).status, 404, host)
  for (const path of [
    '/',
    '/.well-known/',
    `${PATH}/`,
    '/.well-known/%6dta-sts.txt',
    '/../.well-known/mta-sts.txt',
  ])
    assert.equal((await ask(SERVICE, { path })).status, 404, path)
  const posted = await ask(SERVICE, { method: 'POST' })
  assert.deepEqual([posted.status, posted.headers['allow']], [405, 'GET, HEAD'])
  assert.equal((await ask('mta-sts.broken.example', stranger)).status, 503)
  assert.match(await raw('GET / HTTP/1.1\r\n\r\n'), /^HTTP\/1\.1 400 /)
  assert.match(
    await raw(`GET ${PATH} HTTP/1.1\r\nhost: ${SERVICE}\r\nx: ${'y'.repeat(5000)}\r\n\r\n`),
    /^HTTP\/1\.1 431 /,
  )
  assert.match(await raw('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), /^HTTP\/1\.1 400 /)
})

test('a host shows its own certificate once it is in the folder, and no other one’s name is looked for', async (t) => {
  const { ask, put, looked } = await openDoor(t)
  await assert.rejects(ask(OURS), /does not match|altnames/)
  await put(OURS, [OURS], 'certbot')
  await until('the policy', async () => (await ask(OURS).catch(() => undefined))?.body === TEXT)
  await put('mta-sts.other.example', ['mta-sts.other.example'], 'flat')
  looked.length = 0
  for (const sni of ['mta-sts.other.example', '../mta-sts.other.example'])
    await assert.rejects(ask('mta-sts.other.example', { sni }), /does not match|altnames/)
  // A name that is none is not even asked for.
  assert.deepEqual(looked, ['mta-sts.other.example'])
})

test('a flat folder serves as well, and what is broken in it is passed over until it is mended', async (t) => {
  const { ask, put, broken } = await openDoor(t)
  await broken(`${OURS}.crt`)
  await assert.rejects(ask(OURS), /does not match|altnames/)
  await put(OURS, [OURS], 'flat')
  await until('the policy', async () => (await ask(OURS).catch(() => undefined))?.body === TEXT)
})

test('who says nothing goes, and one network holds few places', async (t) => {
  const { door, ask } = await openDoor(t, { waitMs: 300, connectionsPerNetwork: 3 })
  const idle = await Promise.all(Array.from({ length: 5 }, () => dial(door.port)))
  // Two of the five had no place to begin with; the others are sent away when they stay silent.
  await Promise.all(idle.map(async (socket) => socket.closed || (await once(socket, 'close'))))
  assert.equal((await ask(SERVICE)).status, 200)
})

async function dial(port: number): Promise<Socket> {
  const socket = connectTcp({ host: '127.0.0.1', port })
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.resume()
  return socket
}

test('no bytes of strangers end the door', async (t) => {
  const { raw, ask } = await openDoor(t, { waitMs: 100 })
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string({ unit: 'binary-ascii', maxLength: 200 }),
        fc
          .tuple(fc.webPath(), fc.string({ maxLength: 50 }))
          .map(([path, host]) => `GET ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n`),
      ),
      async (text) => {
        const said = await raw(text)
        assert.ok(said === '' || said.startsWith('HTTP/1.1 '), said)
      },
    ),
    { numRuns: 20 },
  )
  assert.equal((await ask(SERVICE)).status, 200)
})
