import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { promisify } from 'node:util'
import {
  DAY_MS,
  HOST,
  newPair,
  newPlace,
  open,
  type PemPair,
  replace,
  START,
  serve,
  shown,
} from '#test/certificate-place.ts'
import { play } from '#test/smtp-dialogue.ts'
import { until } from '#test/smtp-server.ts'

const run = promisify(execFile)

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
