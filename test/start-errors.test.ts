import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startInstance } from '#test/instance.ts'

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
    [
      { POSTHORN_DATA: folder, POSTHORN_HTP_PORT: '1' },
      /POSTHORN_HTP_PORT: no such variable.*POSTHORN_HTTP_PORT/,
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
