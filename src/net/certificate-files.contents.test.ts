// @peculiar/x509 throws without it.
import 'reflect-metadata'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { webcrypto, X509Certificate } from 'node:crypto'
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { promisify } from 'node:util'
import * as x509 from '@peculiar/x509'
import {
  authority,
  DAY_MS,
  newPair,
  newPlace,
  type PemPair,
  type Place,
  START,
  serve,
  shown,
} from '#test/certificate-place.ts'
import { CertificateUnusable } from './certificate-files.ts'

const run = promisify(execFile)
const openssl = await run('openssl', ['version']).then(
  () => false,
  () => 'openssl is not installed',
)

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

async function unusable(place: Place): Promise<string> {
  const error: unknown = await place.open().then(
    () => undefined,
    (failed: unknown) => failed,
  )
  assert.ok(error instanceof CertificateUnusable, String(error))
  assert.doesNotMatch(error.message, /PRIVATE KEY-----\s*[A-Za-z0-9+/]{8}/)
  return error.message
}

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
