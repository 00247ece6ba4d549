import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { ActResult, DeliveryTimeline, QueueBody, QueuedDelivery } from '#contract/operator.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { operatorToken } from '#test/operator.ts'
import { until } from '#test/outbound.ts'
import { fromNow, plain, textTable } from '../cli/text-table.ts'

/** `posthorn queue` as a person and as a script use it, against a running instance. */
let instance: Instance

before(async () => {
  instance = await startInstance({ POSTHORN_RETRY_MS: '600000', POSTHORN_EXPIRE_MS: '86400000' })
})
after(async () => instance[Symbol.asyncDispose]())

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Nobody sits at its terminal. */
function queue(...args: string[]): Promise<Ran> {
  return queueWith({ POSTHORN_DATA: instance.directory }, ...args)
}

function queueWith(environment: Record<string, string>, ...args: string[]): Promise<Ran> {
  const command = join(import.meta.dirname, '../cli/posthorn.ts')
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [command, 'queue', ...args],
      { env: { PATH: process.env['PATH'], ...environment } },
      (error, out, err) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    )
    child.stdin?.end()
  })
}

async function json<R>(...args: string[]): Promise<R> {
  const { code, out, err } = await queue(...args, '--json')
  assert.equal(code, 0, err)
  // The contract says what each route answers.
  return JSON.parse(out) as R
}

async function send(to: string, subject = 's'): Promise<string> {
  const { body } = await instance.send({ to, from: 'app@yourdomain.com', subject, text: 't' })
  return body.result?.message_id ?? assert.fail(JSON.stringify(body.errors))
}

const deferred = (label: string) => `deferred+${label}@simulator.posthorn.test`

async function queuedTo(to: string): Promise<QueuedDelivery> {
  const list = await json<QueuedDelivery[]>('list', '--limit', '1000')
  return list.find((each) => each.to === to) ?? assert.fail(`nothing to ${to}`)
}

test('a stopped domain: pause, hold, look, release, resume', async () => {
  const paused = await queue('pause', 'stopped.example', '--for', '2h', '--reason', 'they asked')
  assert.equal(paused.code, 0)
  assert.match(paused.out, /^The domain stopped\.example is paused until 2/)
  for (let i = 0; i < 12; i++) await send(`u${i}@stopped.example`)

  const stats = await queue()
  assert.match(stats.out, /^12 waiting, 0 being attempted, 0 held\n/)
  assert.match(stats.out, /\n12 +0 +0 +stopped\.example\n/)
  assert.match(stats.out, /\ndomain +stopped\.example +\S.* +in 2h +they asked\n$/)
  const body = await json<QueueBody>('stats')
  assert.deepEqual(body.totals, { waiting: 12, claimed: 0, held: 0 })

  const asked = await queue('hold', '--domain', 'stopped.example')
  assert.deepEqual([asked.code, asked.out], [4, ''], 'many, and nobody to be asked')
  assert.match(asked.err, /Hold 12 deliveries\?.*--yes/)
  const dry = await json<ActResult>('hold', '--domain', 'stopped.example', '--dry-run')
  assert.deepEqual([dry.dry_run, dry.changed], [true, 12])
  const held = await queue('hold', '--domain', 'stopped.example', '--yes')
  assert.deepEqual([held.code, held.out], [0, '12 held.\n'])
  const again = await queue('hold', '--domain', 'stopped.example', '--yes')
  assert.deepEqual([again.code, again.out], [3, '0 held.\n'])

  const list = await queue('list', '--domain', 'stopped.example', '--limit', '5')
  const lines = list.out.trimEnd().split('\n')
  assert.match(lines[0] ?? '', /^ID +STATE +TRIES +NEXT +EXPIRES +TO +FROM +LAST REPLY$/)
  assert.equal(lines.length, 7)
  assert.match(
    lines[1] ?? '',
    /^[0-9a-f]{32} {2}held +0 +in 24h +u\d+@stopped\.example +app@yourdomain\.com$/,
  )
  assert.match(lines[6] ?? '', /more than these 5/)
  assert.equal((await json<QueuedDelivery[]>('list', '--state', 'held')).length, 12)

  assert.equal((await queue('release', '--destination', 'sandbox.posthorn.test', '-y')).out, '12 released.\n')
  const resumed = await queue('resume', 'stopped.example')
  assert.equal(resumed.out, 'The domain stopped.example is resumed.\n')
  await until('all delivered', async () => (await queue('list', '--domain', 'stopped.example')).code === 3)
  assert.equal((await queue('resume', 'stopped.example')).code, 3)
})

test('one delivery: show, retry, expire; and by its message', async () => {
  const message = await send(deferred('one'))
  const { id } = await queuedTo(deferred('one'))
  const shown = await queue('show', id)
  assert.equal(shown.code, 0)
  assert.match(shown.out, /\nto +deferred\+one@simulator\.posthorn\.test\n/)
  assert.match(shown.out, /\n\S+Z {2}accepted\n/)
  assert.match(shown.out, /\n\S+Z {2}deferred, attempt 1\n {2}reply +451 4\.3\.2 /)
  assert.match(shown.out, /\n {2}host +simulator\.posthorn\.test \[127\.0\.0\.1\], \d+ ms\n/)
  assert.match(shown.out, /\n {2}tls +TLSv1\.3 /)
  assert.match(shown.out, /\n {4}c: RCPT TO:<deferred\+one@/)

  assert.deepEqual(await queue('retry', id), { code: 0, out: '1 due now.\n', err: '' })
  await until('a second attempt', async () => {
    const { delivery } = await json<DeliveryTimeline>('show', id)
    return delivery.attempts === 2 && delivery.state === 'waiting'
  })
  const [only] = await json<QueuedDelivery[]>('list', '--message', message)
  assert.equal(only?.id, id)
  assert.equal((await queue('expire', id)).out, '1 expired.\n')
  const [settled] = await json<QueuedDelivery[]>('list', '--message', message)
  assert.equal(settled?.state, 'failed')
  assert.equal((await queue('cancel', id)).code, 3)
  assert.equal((await queue('show', 'f'.repeat(32))).code, 3)
})

test('what is wrong with a command is said in one sentence, with a code for scripts', async () => {
  for (const [args, code, says] of [
    [['hold'], 2, /say which deliveries/],
    [['hold', '--nonsense'], 2, /unknown option/],
    [['list', '--state', 'delivered'], 2, /Allowed choices/],
    [['list', '--limit', 'x'], 2, /number from 1/],
    [['nothing'], 2, /too many arguments|unknown command/],
    [['hold', '--domain', 'no domain'], 1, /domain must be a domain name/],
    [['list', '--older-than', 'old'], 1, /older_than must be a duration/],
    [
      ['list', '--token-file', '/nowhere/token'],
      69,
      /cannot be read \(ENOENT\); name its file by --token-file/,
    ],
    [['list', '--data', '/nowhere'], 69, /no instance found.*--url or --data/],
  ] as const) {
    const ran = await queue(...args)
    assert.equal(ran.code, code, `${args.join(' ')}: ${ran.err}`)
    assert.match(ran.err, says)
    assert.equal(ran.out, '')
  }
  const help = await queue('--help')
  assert.equal(help.code, 0)
  assert.match(help.out, /Exit codes:/)
})

test('another server and another token, by options and by variables', async () => {
  const file = join(instance.directory, 'copy-of-the-token')
  writeFileSync(file, `${operatorToken(instance)}\n`)
  const url = instance.dev.dashboard
  const far = { POSTHORN_DATA: '/nowhere' }
  assert.equal((await queueWith(far, 'stats', '--url', `${url}/`, '--token-file', file)).code, 0)
  const named = { ...far, POSTHORN_OPERATOR_TOKEN_FILE: file }
  assert.equal((await queueWith(named, '--url', url)).code, 0)
  writeFileSync(file, 'x'.repeat(40))
  const wrong = await queueWith(named, '--url', url)
  assert.equal(wrong.code, 69)
  assert.match(wrong.err, /operator token/)
  const nobody = await queueWith({ ...named }, '--url', 'http://127.0.0.1:9')
  assert.equal(nobody.code, 69)
  assert.match(nobody.err, /no answer from/)
})

test('a table lines up, is cut at the terminal’s edge, and carries no controls of strangers', () => {
  const rows = [
    ['1', 'short', '550 \u001b[31mno\u009b0m'],
    ['22', 'a longer one', 'x'],
  ]
  assert.equal(
    textTable(['N', 'NAME', 'REPLY'], rows, undefined),
    ['N   NAME          REPLY', '1   short         550 ·[31mno·0m', '22  a longer one  x'].join('\n'),
  )
  assert.equal(textTable(['N', 'NAME', 'REPLY'], rows, 20).split('\n')[1], '1   short         5…')
  assert.equal(plain('a\r\nb\u202ec\u2066'), 'a··b·c·')
})

test('times are told by how far they are', () => {
  const now = Date.parse('2026-11-20T12:00:00Z')
  for (const [iso, text] of [
    [null, ''],
    ['2026-11-20T12:00:00.400Z', 'now'],
    ['2026-11-20T12:01:30Z', 'in 90s'],
    ['2026-11-20T12:15:00Z', 'in 15m'],
    ['2026-11-20T09:00:00Z', '3h ago'],
    ['2026-11-27T12:00:00Z', 'in 7d'],
  ] as const)
    assert.equal(fromNow(iso, now), text)
})
