// @peculiar/x509 throws without it.
import 'reflect-metadata'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { type KeyObject, webcrypto, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import test, { type TestContext } from 'node:test'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import * as x509 from '@peculiar/x509'
import { openLog } from '#observe/log.ts'
import { play } from '#test/smtp-dialogue.ts'
import { startSmtpServer, until } from '#test/smtp-server.ts'
import { type CertificateFiles, CertificateUnusable, openCertificateFiles } from './certificate-files.ts'
import {
  type CertifiedKey,
  issueAuthority,
  issueLeaf,
  nameConstraints,
  subjectAlternativeNames,
} from './certificate-issue.ts'

const run = promisify(execFile)
const DAY_MS = 24 * 60 * 60 * 1000
const openssl = await run('openssl', ['version']).then(
  () => false,
  () => 'openssl is not installed',
)
const START = Date.now()
const HOST = 'smtp.mx.posthorn.test'
const authority = await issueAuthority({
  constraints: nameConstraints(['posthorn.test']),
  now: START - 100 * DAY_MS,
  validMs: 1000 * DAY_MS,
})

/** A pair as files have it: the chain, leaf first, and the key. */
interface PemPair {
  readonly chain: string
  readonly key: string
  readonly fingerprint: string
}

const pemKey = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' })

async function newPair({ fromDays = 0, days = 90 } = {}): Promise<PemPair> {
  const { certificate, key }: CertifiedKey = await issueLeaf(authority, {
    names: subjectAlternativeNames([HOST]),
    now: START + fromDays * DAY_MS,
    validMs: days * DAY_MS,
  })
  const chain = certificate.toString() + authority.certificate.toString()
  return { chain, key: pemKey(key), fingerprint: certificate.fingerprint256 }
}

type Algorithm = webcrypto.EcKeyGenParams | webcrypto.RsaHashedKeyGenParams | webcrypto.Algorithm

/** A self-signed pair of any kind of key. */
async function pairOf(algorithm: Algorithm): Promise<Omit<PemPair, 'fingerprint'>> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  assert.ok('privateKey' in keys)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=posthorn.test',
    notAfter: new Date(START + 90 * DAY_MS),
    signingAlgorithm: { hash: 'SHA-256', ...algorithm },
    keys,
  })
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)
  return { chain: certificate.toString('pem'), key: x509.PemConverter.encode(der, 'PRIVATE KEY') }
}

interface Line {
  readonly level: number
  readonly msg: string
  readonly names?: string
  readonly until?: string
}

/** A folder with the two files, and what is told of them. */
interface Place {
  readonly certificate: string
  readonly key: string
  readonly folder: string
  readonly lines: readonly Line[]
  /** Warnings and errors, in sentences. */
  alarms(): string[]
  /** Those about the dates of the pair in use. */
  reminders(): string[]
  put(pair: Omit<PemPair, 'fingerprint'>): Promise<void>
  open(): Promise<CertificateFiles>
  /** Resolves when the files were looked at once more, from beginning to end. */
  looked(): Promise<void>
  /** Resolves when something like this was told. */
  told(what: RegExp): Promise<void>
  /** Resolves when that many pairs were taken into use. */
  loaded(pairs: number): Promise<void>
  pass(days: number): void
}

async function newPlace(t: TestContext): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'posthorn-pair-'))
  const certificate = join(folder, 'fullchain.pem')
  const key = join(folder, 'privkey.pem')
  const lines: Line[] = []
  const sink = new Writable({
    write: (chunk: Buffer, _, done) => {
      lines.push(JSON.parse(chunk.toString()))
      done()
    },
  })
  let now = START
  let asked = 0
  const clock = () => {
    asked += 1
    return now
  }
  t.after(() => rm(folder, { recursive: true }))
  const alarms = () => lines.filter(({ level }) => level >= 40).map(({ msg }) => msg)
  return {
    certificate,
    key,
    folder,
    lines,
    alarms,
    // A look may come between key and certificate and find a mismatch, which is no reminder.
    reminders: () => alarms().filter((msg) => msg.includes('certificate in use')),
    put: async (pair) => {
      await replace(key, pair.key)
      await replace(certificate, pair.chain)
    },
    open: async () => {
      const log = openLog('info', sink)
      const files = await openCertificateFiles({ certificate, key, log, everyMs: 5, clock })
      t.after(() => files.close())
      return files
    },
    looked: async () => {
      // A look asks for the time four times at most.
      const before = asked
      await until(() => asked > before + 8)
    },
    told: (what) => until(() => lines.some(({ msg }) => what.test(msg))),
    loaded: (pairs) =>
      until(() => lines.filter(({ msg }) => msg.includes('certificate is in use')).length === pairs),
    pass: (days) => {
      now += days * DAY_MS
    },
  }
}

/** As renewals do it: whole, by a rename. */
async function replace(path: string, content: string): Promise<void> {
  await writeFile(`${path}.new`, content)
  await rename(`${path}.new`, path)
}

async function open(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const ca = authority.certificate.toString()
  const socket = connect({ port, host: '127.0.0.1', servername: HOST, ca, ...options })
  await once(socket, 'secureConnect')
  return socket
}

/** What a new client is shown. */
async function shown(port: number, options?: ConnectionOptions): Promise<string> {
  const socket = await open(port, options)
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}

async function serve(t: TestContext, files: CertificateFiles): Promise<number> {
  const { port } = await startSmtpServer(t, { tls: { mode: 'implicit', context: () => files.context() } })
  return port
}

async function unusable(place: Place): Promise<string> {
  const error: unknown = await place.open().then(
    () => undefined,
    (failed: unknown) => failed,
  )
  assert.ok(error instanceof CertificateUnusable, String(error))
  assert.doesNotMatch(error.message, /PRIVATE KEY-----\s*[A-Za-z0-9+/]{8}/)
  return error.message
}

test('a new pair is shown to the next client, and an open session goes on', async (t) => {
  const place = await newPlace(t)
  const [first, second] = [await newPair(), await newPair()]
  await place.put(first)
  const port = await serve(t, await place.open())
  assert.equal(await shown(port), first.fingerprint)
  const session = await open(port)
  let ticket: Buffer | undefined
  session.on('session', (given: Buffer) => {
    ticket = given
  })
  await play(session, 'c', 's: 220 …')
  await place.put(second)
  await place.loaded(2)
  assert.equal(await shown(port), second.fingerprint)
  assert.ok(ticket)
  assert.equal(await shown(port, { session: ticket }), second.fingerprint, 'an old ticket costs a handshake')
  await play(session, 'c', 'c: NOOP\ns: 250 …\nc: QUIT\ns: 221 …\ns: (close)')
  session.destroy()
  const line = place.lines.findLast(({ msg }) => /in use/.test(msg))
  assert.equal(line?.names, `DNS:${HOST}`)
  assert.equal(line?.until?.slice(0, 10), new Date(START + 90 * DAY_MS).toISOString().slice(0, 10))
})

test('TLS 1.2 and 1.3 are spoken, and nothing older', async (t) => {
  const place = await newPlace(t)
  const pair = await newPair()
  await place.put(pair)
  const port = await serve(t, await place.open())
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    assert.equal(await shown(port, { minVersion: version, maxVersion: version }), pair.fingerprint)
  await assert.rejects(
    shown(port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
  )
})

test('a swapped link of the folder is seen, as Kubernetes does it', async (t) => {
  const place = await newPlace(t)
  const [first, second] = [await newPair(), await newPair()]
  for (const [name, pair] of Object.entries({ first, second })) {
    await mkdir(join(place.folder, name))
    await writeFile(join(place.folder, name, 'fullchain.pem'), pair.chain)
    await writeFile(join(place.folder, name, 'privkey.pem'), pair.key)
  }
  await symlink('first', join(place.folder, '..data'))
  await symlink('..data/fullchain.pem', place.certificate)
  await symlink('..data/privkey.pem', place.key)
  const port = await serve(t, await place.open())
  assert.equal(await shown(port), first.fingerprint)
  await symlink('second', join(place.folder, '..data.new'))
  await rename(join(place.folder, '..data.new'), join(place.folder, '..data'))
  await place.loaded(2)
  assert.equal(await shown(port), second.fingerprint)
  assert.deepEqual(place.alarms(), [])
})

test('swapped links of the files are seen, as certbot does it', async (t) => {
  const place = await newPlace(t)
  const [first, second] = [await newPair(), await newPair()]
  await mkdir(join(place.folder, 'archive'))
  const link = async (version: number, pair: PemPair) => {
    for (const [path, name, content] of [
      [place.key, 'privkey', pair.key],
      [place.certificate, 'fullchain', pair.chain],
    ] as const) {
      await writeFile(join(place.folder, 'archive', `${name}${version}.pem`), content)
      await symlink(join('archive', `${name}${version}.pem`), `${path}.new`)
      await rename(`${path}.new`, path)
    }
  }
  await link(1, first)
  const port = await serve(t, await place.open())
  await link(2, second)
  await place.loaded(2)
  assert.equal(await shown(port), second.fingerprint)
})

test('a certificate that comes before its key changes nothing until the key is there', async (t) => {
  const place = await newPlace(t)
  const [first, second] = [await newPair(), await newPair()]
  await place.put(first)
  const port = await serve(t, await place.open())
  await replace(place.certificate, second.chain)
  await place.told(/does not belong/)
  assert.equal(await shown(port), first.fingerprint)
  await place.looked()
  assert.equal(place.alarms().length, 1, 'a fault is told once')
  await replace(place.key, second.key)
  await place.loaded(2)
  assert.equal(await shown(port), second.fingerprint)
})

test('a certificate written in place, half of it first', async (t) => {
  const place = await newPlace(t)
  const [first, second] = [await newPair(), await newPair()]
  await place.put(first)
  const port = await serve(t, await place.open())
  await writeFile(place.key, second.key)
  await writeFile(place.certificate, second.chain.slice(0, 300))
  await place.told(/ends within a certificate/)
  assert.equal(await shown(port), first.fingerprint)
  await writeFile(place.certificate, second.chain)
  await place.loaded(2)
  assert.equal(await shown(port), second.fingerprint)
})

test('each fault is told once, and anew after the files fitted', async (t) => {
  const place = await newPlace(t)
  const [first, other] = [await newPair(), await newPair()]
  await place.put(first)
  const port = await serve(t, await place.open())
  const faults: [() => Promise<void>, RegExp][] = [
    [() => writeFile(place.certificate, 'garbage'), /fullchain\.pem holds no certificate/],
    [() => rm(place.certificate), /fullchain\.pem is missing: put a PEM file there/],
    [() => replace(place.certificate, other.chain), /privkey\.pem does not belong to the certificate/],
    [() => replace(place.key, 'garbage'), /privkey\.pem holds no private key/],
    [() => rm(place.key), /privkey\.pem is missing/],
  ]
  for (const [act, told] of faults) {
    await act()
    await place.told(told)
    await place.looked()
    assert.equal(await shown(port), first.fingerprint)
  }
  assert.equal(place.alarms().length, faults.length)
  await place.put(first)
  await place.told(/fits its files again/)
  assert.equal(await shown(port), first.fingerprint)
  await rm(place.key)
  await until(() => place.alarms().length > faults.length)
  assert.match(place.alarms().at(-1) ?? '', /privkey\.pem is missing.* stays in use/)
  const told = JSON.stringify(place.lines)
  for (const secret of first.key.split('\n').filter((line) => /^[A-Za-z0-9+/=]+$/.test(line)))
    assert.ok(!told.includes(secret), 'no line of a key is in the log')
})

test('files that were only touched are not told of; after close() nothing is looked at', async (t) => {
  const place = await newPlace(t)
  const [first, second] = [await newPair(), await newPair()]
  await place.put(first)
  const files = await place.open()
  const context = files.context()
  await place.put(first)
  await place.looked()
  assert.equal(files.context(), context)
  assert.equal(place.lines.length, 1)
  files.close()
  await place.put(second)
  assert.equal(await shown(await serve(t, files)), first.fingerprint)
})

test('no first pair: a sentence that names the file and what would be right', async (t) => {
  const place = await newPlace(t)
  const [pair, other] = [await newPair(), await newPair()]
  assert.match(await unusable(place), /^the certificate \S+fullchain\.pem is missing: put a PEM file there$/)
  await writeFile(place.certificate, pair.chain)
  assert.match(await unusable(place), /^the key \S+privkey\.pem is missing/)
  await writeFile(place.key, other.key)
  assert.match(await unusable(place), /must come from one renewal$/)
  await writeFile(place.key, pair.chain)
  assert.match(await unusable(place), /privkey\.pem holds no private key/)
  await writeFile(place.key, pair.key)
  const damaged = '-----BEGIN CERTIFICATE-----\nMIIBAAAA\n-----END CERTIFICATE-----\n'
  const cases: [string, RegExp][] = [
    ['', /holds no certificate/],
    [pair.key, /holds no certificate/],
    [damaged, /certificate 1 of its chain cannot be parsed/],
    [pair.chain + damaged, /certificate 3 of its chain cannot be parsed/],
    [pair.chain.slice(0, -40), /ends within a certificate/],
    [authority.certificate.toString() + pair.chain, /does not begin with the certificate of the key/],
    ['x'.repeat(2 * 1024 * 1024), /is no file of a certificate/],
  ]
  for (const [content, told] of cases) {
    await writeFile(place.certificate, content)
    assert.match(await unusable(place), told)
  }
  await rm(place.certificate)
  await mkdir(place.certificate)
  assert.match(await unusable(place), /is no file of a certificate/)
  assert.deepEqual(place.lines, [])
})

test('a key that this user may not read', {
  skip: process.getuid?.() === 0 && 'root reads all',
}, async (t) => {
  const place = await newPlace(t)
  await place.put(await newPair())
  await chmod(place.key, 0o000)
  assert.match(await unusable(place), /privkey\.pem cannot be read \(EACCES\)/)
  await chmod(place.key, 0o600)
  await place.open()
})

test('an encrypted key is refused', { skip: openssl }, async (t) => {
  const place = await newPlace(t)
  await place.put(await newPair())
  const plain = join(place.folder, 'plain.pem')
  await rename(place.key, plain)
  for (const form of [
    ['pkcs8', '-topk8', '-v2', 'aes128'],
    ['ec', '-aes128'],
  ]) {
    await run('openssl', [...form, '-in', plain, '-out', place.key, '-passout', 'pass:secret'])
    assert.match(await unusable(place), /privkey\.pem is encrypted: it must be without a passphrase/)
  }
})

test('kinds of keys', async (t) => {
  const place = await newPlace(t)
  const rsa = (modulusLength: number) => ({
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength,
    publicExponent: new Uint8Array([1, 0, 1]),
  })
  const ec = (namedCurve: string) => ({ name: 'ECDSA', namedCurve })
  for (const algorithm of [rsa(2048), ec('P-384'), ec('P-521'), { name: 'Ed25519' }]) {
    const pair = await pairOf(algorithm)
    await place.put(pair)
    const port = await serve(t, await place.open())
    const { fingerprint256 } = new X509Certificate(pair.chain)
    assert.equal(await shown(port, { rejectUnauthorized: false }), fingerprint256)
  }
  await place.put(await pairOf(rsa(1024)))
  assert.match(await unusable(place), /privkey\.pem is RSA of 1024 bits: RSA of 2048 bits or more/)
})

test('one file for both, with remarks and CRLF', async (t) => {
  const place = await newPlace(t)
  const pair = await newPair()
  const both = `subject=/CN=Zoë\n${pair.key}\n# chain ----\n${pair.chain}`.replaceAll('\n', '\r\n')
  await place.put({ chain: both, key: both })
  const port = await serve(t, await place.open())
  assert.equal(await shown(port), pair.fingerprint)
})

test('a first pair that has expired is used, loudly', async (t) => {
  const place = await newPlace(t)
  const pair = await newPair({ fromDays: -20, days: 10 })
  await place.put(pair)
  const port = await serve(t, await place.open())
  assert.equal(await shown(port, { rejectUnauthorized: false }), pair.fingerprint)
  assert.equal(place.lines.at(-1)?.level, 50)
  assert.match(place.reminders().join(), /certificate in use has expired: clients refuse it/)
  const fresh = await newPair()
  await place.put(fresh)
  await place.loaded(2)
  assert.equal(await shown(port), fresh.fingerprint)
  assert.equal(place.reminders().length, 1)
})

test('a new pair out of its dates waits while the one in use is valid', async (t) => {
  const place = await newPlace(t)
  const [first, expired, early] = [
    await newPair({ days: 60 }),
    await newPair({ fromDays: -20, days: 10 }),
    await newPair({ fromDays: 5 }),
  ]
  await place.put(first)
  const port = await serve(t, await place.open())
  await place.put(expired)
  await place.told(/fullchain\.pem has expired: one that is valid today belongs there/)
  await place.put(early)
  await place.told(/is not valid yet .*belongs there/)
  assert.equal(await shown(port), first.fingerprint)
  // Its first day comes, and nobody touches the files.
  place.pass(6)
  await place.loaded(2)
  assert.equal(await shown(port, { rejectUnauthorized: false }), early.fingerprint)
})

test('less than 14 days left: a warning at each load, then one a day', async (t) => {
  const place = await newPlace(t)
  await place.put(await newPair({ days: 20 }))
  await place.open()
  await place.looked()
  assert.deepEqual(place.reminders(), [])
  place.pass(7)
  await until(() => place.reminders().length === 1)
  assert.match(place.reminders().join(), /less than 14 days left; renew it/)
  await place.looked()
  assert.equal(place.reminders().length, 1)
  place.pass(1)
  await until(() => place.reminders().length === 2)
  await place.put(await newPair({ days: 19 }))
  await until(() => place.reminders().length === 3)
  place.pass(20)
  await until(() => place.reminders().length === 4)
  assert.match(place.reminders().at(-1) ?? '', /has expired/)
})

test('the looking keeps no process alive', async (t) => {
  const place = await newPlace(t)
  await place.put(await newPair())
  const url = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const { certificate, key } = place
  const script = `
    const { openCertificateFiles } = await import(${url('./certificate-files.ts')})
    const { openLog } = await import(${url('../observe/log.ts')})
    await openCertificateFiles({ ...${JSON.stringify({ certificate, key })}, log: openLog('info') })`
  const { stderr } = await run(process.execPath, ['--input-type=module', '--eval', script], {
    timeout: 20_000,
  })
  assert.match(stderr, /a certificate is in use/)
  assert.ok(!stderr.includes((await readFile(key, 'utf8')).split('\n')[1] ?? ''))
})
