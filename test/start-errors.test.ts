import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { devJson } from '#contract/dev-json.ts'
import { post, startInstance } from '#test/instance.ts'

/** Starts the CLI and returns how it ended, with what it told the person. */
function start(environment: Record<string, string>): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../cli/posthorn.ts'), 'dev'], {
    env: {
      PATH: process.env['PATH'],
      POSTHORN_MX_PORT: '0',
      POSTHORN_DNS_PORT: '0',
      POSTHORN_HTTP_PORT: '0',
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 20_000,
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, said })))
}

test('what a person can mend is told in a sentence, without a stack', async () => {
  await using instance = await startInstance()
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-test-'))
  const port = new URL(instance.dev.api).port
  const cases: [Record<string, string>, RegExp][] = [
    [{ POSTHORN_DATA: instance.directory }, /data folder .* is in use by another Posthorn/],
    [{ POSTHORN_DATA: folder, POSTHORN_HTTP_PORT: port }, new RegExp(`${port} .*in use.*POSTHORN_HTTP_PORT`)],
    [{ POSTHORN_DATA: join(instance.directory, 'dev.json') }, /data folder .* cannot be used/],
    [{ POSTHORN_DATA: folder, POSTHORN_DEV_ZONES: 'a b' }, /POSTHORN_DEV_ZONES: expected domain names/],
    [
      { POSTHORN_DATA: folder, POSTHORN_DEV_ZONES: 'x.posthorn.test' },
      /x\.posthorn\.test cannot be a zone here/,
    ],
    [{ POSTHORN_DATA: folder, POSTHORN_DNS_PORT: 'x' }, /POSTHORN_DNS_PORT: expected a port number/],
    [
      { POSTHORN_DATA: folder, POSTHORN_DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/x' },
      /PostgreSQL at 127\.0\.0\.1:1\/x cannot be used/,
    ],
  ]
  for (const [environment, expected] of cases) {
    const { code, said } = await start(environment)
    assert.equal(code, 78, said)
    assert.match(said, expected)
    assert.doesNotMatch(said, /\n\s+at |hunter2/)
  }
  assert.ok(
    existsSync(join(instance.directory, 'dev.json')),
    'a start that failed leaves the running instance alone',
  )
  rmSync(folder, { recursive: true, force: true })
})

test('a setting that nobody knows is told of, and stops nothing', async () => {
  await using instance = await startInstance({ POSTHORN_HTP_PORT: '1' })
  assert.match(instance.log(), /POSTHORN_HTP_PORT is no setting.*POSTHORN_HTTP_PORT/)
})

test('a master key that is gone is asked for, not replaced', async () => {
  await using instance = await startInstance()
  await instance.stop()
  rmSync(join(instance.directory, 'master.key'))
  const { code, said } = await start({ POSTHORN_DATA: instance.directory })
  assert.equal(code, 78)
  assert.match(said, /master key .* is missing: put it back/)
  assert.ok(!existsSync(join(instance.directory, 'master.key')))
})

test('POSTHORN_DEV_ZONES: an application keeps its own domains', async () => {
  await using instance = await startInstance({ POSTHORN_DEV_ZONES: 'app.example, other.example' })
  assert.equal(instance.dev.zone, 'app.example')
  for (const from of ['a@app.example', 'b@other.example']) {
    const { body } = await instance.send({ from, to: 'x@example.com', subject: 's', text: 't' })
    assert.equal(body.result?.delivered.length, 1, JSON.stringify(body.errors))
  }
})

test('Ctrl-C, which reaches the launcher and the server, closes both in order', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-test-'))
  const cli = join(import.meta.dirname, '../cli/posthorn.ts')
  const child = spawn(process.execPath, [cli, 'dev'], {
    env: {
      PATH: process.env['PATH'],
      POSTHORN_DATA: folder,
      POSTHORN_MX_PORT: '0',
      POSTHORN_DNS_PORT: '0',
      POSTHORN_HTTP_PORT: '0',
    },
    stdio: 'ignore',
    detached: true,
  })
  const path = join(folder, 'dev.json')
  for (const end = Date.now() + 20_000; !existsSync(path) && Date.now() < end; ) await sleep(20)
  const dev = devJson.parse(JSON.parse(readFileSync(path, 'utf8')))
  const url = `${dev.api}/accounts/${dev.account_id}/email/sending/send`
  const mail = { to: 'slow@simulator.posthorn.test', from: 'a@yourdomain.com', subject: 's', text: 't' }
  const pending = post(url, mail, { authorization: `Bearer ${dev.api_token}` })
  await sleep(300)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  process.kill(-Number(child.pid), 'SIGINT')
  assert.deepEqual((await pending).body.result?.queued, ['slow@simulator.posthorn.test'])
  assert.equal(await ended, 0)
  assert.ok(!existsSync(path), 'dev.json is gone')
  rmSync(folder, { recursive: true, force: true })
})
