import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { openCertificateAuthority } from './certificate-authority.ts'
import { type CertifiedKey, issueLeaf, subjectAlternativeNames } from './certificate-issue.ts'

const run = promisify(execFile)
const DAY_MS = 24 * 60 * 60 * 1000
const openssl = await run('openssl', ['version']).then(
  () => false,
  () => 'openssl is not installed',
)

async function folderOf(t: TestContext): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'posthorn-ca-'))
  t.after(() => rm(parent, { recursive: true }))
  return join(parent, 'ca')
}

/** Connects to a TLS server that shows `leaf`, as a client that trusts `ca` alone. */
async function handshake(leaf: { cert: string; key: string }, ca: string, servername: string) {
  const server = createServer(leaf, (socket) => socket.end())
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  try {
    return await new Promise<TLSSocket>((resolve, reject) => {
      const socket = connect({ port: address.port, host: '127.0.0.1', servername, ca }, () => resolve(socket))
      socket.on('error', reject)
    }).then((socket) => socket.destroy())
  } finally {
    server.close()
  }
}

/** A leaf signed with the stolen key of the CA in `folder`. */
async function stolenLeaf(folder: string, names: readonly string[]) {
  const authority: CertifiedKey = {
    certificate: new X509Certificate(await readFile(join(folder, 'ca.pem'))),
    key: createPrivateKey(await readFile(join(folder, 'ca-key.pem'))),
  }
  const leaf = await issueLeaf(authority, {
    names: subjectAlternativeNames(names),
    now: Date.now(),
    validMs: DAY_MS,
  })
  const key = leaf.key.export({ type: 'pkcs8', format: 'pem' })
  return { cert: leaf.certificate.toString(), key }
}

test('a client that trusts the CA accepts the leaf for every host name of the service', async (t) => {
  const { certificate, leaf } = await openCertificateAuthority({
    folder: await folderOf(t),
    serviceDomain: 'posthorn.test',
  })
  for (const name of [
    'localhost',
    'posthorn.test',
    'email.posthorn.test',
    'route1.mx.posthorn.test',
    'smtp.mx.posthorn.test',
  ])
    await handshake(leaf, certificate, name)
  assert.ok(new X509Certificate(leaf.cert).checkIP('127.0.0.1'))
  assert.ok(new X509Certificate(leaf.cert).checkIP('::1'))
  await assert.rejects(handshake(leaf, certificate, 'example.com'), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
})

test('a name outside the constraints is refused even with the stolen key of the CA', async (t) => {
  const folder = await folderOf(t)
  const { certificate } = await openCertificateAuthority({ folder, serviceDomain: 'posthorn.test' })
  await handshake(await stolenLeaf(folder, ['deep.er.posthorn.test']), certificate, 'deep.er.posthorn.test')
  for (const names of [['bank.example'], ['posthorn.test', 'bank.example'], ['192.0.2.1'], ['2001:db8::1']]) {
    const leaf = await stolenLeaf(folder, names)
    await assert.rejects(
      handshake(leaf, certificate, 'posthorn.test'),
      /permitted subtree violation/,
      names.join(),
    )
  }
})

test('openssl verifies the leaf, and refuses one outside the constraints', { skip: openssl }, async (t) => {
  const folder = await folderOf(t)
  await openCertificateAuthority({ folder, serviceDomain: 'posthorn.test' })
  const verify = (leaf: string) =>
    run('openssl', ['verify', '-x509_strict', '-CAfile', join(folder, 'ca.pem'), leaf])
  await verify(join(folder, 'leaf.pem'))
  const stolen = join(folder, 'stolen.pem')
  await writeFile(stolen, (await stolenLeaf(folder, ['bank.example'])).cert)
  await assert.rejects(verify(stolen), /permitted subtree violation/)
  const { stdout } = await run('openssl', ['x509', '-noout', '-text', '-in', join(folder, 'ca.pem')])
  assert.match(
    stdout,
    /Name Constraints: critical\s+Permitted:\s+DNS:localhost\s+DNS:posthorn\.test\s+IP:127\.0\.0\.1\/255/,
  )
})

test('keys are readable by their owner alone, and the folder is closed to others', async (t) => {
  const folder = await folderOf(t)
  await openCertificateAuthority({ folder, serviceDomain: 'posthorn.test' })
  const mode = async (path: string) => (await stat(path)).mode & 0o777
  assert.equal(await mode(folder), 0o700)
  assert.equal(await mode(join(folder, 'ca-key.pem')), 0o600)
  assert.equal(await mode(join(folder, 'leaf-key.pem')), 0o600)
})

test('CA and leaf survive a restart', async (t) => {
  const folder = await folderOf(t)
  const first = await openCertificateAuthority({ folder, serviceDomain: 'posthorn.test' })
  assert.deepEqual(await openCertificateAuthority({ folder, serviceDomain: 'posthorn.test' }), first)
})

test('the leaf is renewed a month before it ends, the CA three months before', async (t) => {
  const folder = await folderOf(t)
  const serviceDomain = 'posthorn.test'
  const start = Date.now()
  const at = (days: number) =>
    openCertificateAuthority({ folder, serviceDomain, clock: () => start + days * DAY_MS })
  const first = await at(0)
  assert.deepEqual(await at(366), first)
  const second = await at(368)
  assert.equal(second.certificate, first.certificate)
  assert.notEqual(second.leaf.cert, first.leaf.cert)
  const third = await at(3561)
  assert.notEqual(third.certificate, first.certificate)
  assert.ok(new X509Certificate(third.leaf.cert).verify(new X509Certificate(third.certificate).publicKey))
})

test('another service domain gets another CA', async (t) => {
  const folder = await folderOf(t)
  const first = await openCertificateAuthority({ folder, serviceDomain: 'posthorn.test' })
  const second = await openCertificateAuthority({ folder, serviceDomain: 'mail.example' })
  assert.notEqual(second.certificate, first.certificate)
  await handshake(second.leaf, second.certificate, 'route1.mx.mail.example')
})

test('damaged files, and a key that lost its certificate in a crash, are replaced', async (t) => {
  const folder = await folderOf(t)
  const serviceDomain = 'posthorn.test'
  const first = await openCertificateAuthority({ folder, serviceDomain })
  await writeFile(join(folder, 'ca.pem'), 'not a certificate')
  const second = await openCertificateAuthority({ folder, serviceDomain })
  assert.notEqual(second.certificate, first.certificate)
  await writeFile(join(folder, 'leaf-key.pem'), first.leaf.key)
  const third = await openCertificateAuthority({ folder, serviceDomain })
  assert.equal(third.certificate, second.certificate)
  await handshake(third.leaf, third.certificate, 'localhost')
})

test('a service domain as long as DNS allows has a CA too', async (t) => {
  const serviceDomain = `${`${'a'.repeat(60)}.`.repeat(3)}test`
  const { certificate, leaf } = await openCertificateAuthority({ folder: await folderOf(t), serviceDomain })
  await handshake(leaf, certificate, `email.${serviceDomain}`)
})
