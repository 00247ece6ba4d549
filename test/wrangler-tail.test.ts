import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { dmarcSender } from '#test/dmarc-sender.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { sendTo } from '#test/mx-client.ts'
import { api } from '#test/routing-instance.ts'
import type { Watched } from '#test/watched-program.ts'
import { openWrangler, type Wrangler } from '#test/wrangler.ts'

/** `wrangler tail`, unmodified, in both formats at once: what its user sees of mail, requests, batches and crons while they
 *  happen. The tests run in order. */
let instance: Instance
let wrangler: Wrangler
let pretty: Watched
let json: Watched

const SOURCE = `export default {
  async email(message) {
    console.log('mail from', message.from, { size: message.rawSize })
    if (message.headers.get('Subject') === 'throw') throw new RangeError('too far')
    message.setReject('not today')
  },
  async fetch(request, env) {
    console.warn('asked')
    if (new URL(request.url).pathname === '/queue') await env.Q.send({ n: 1 })
    return new Response('hi')
  },
  async queue(batch) { for (const { body } of batch.messages) console.log('taken', body) },
  async scheduled(controller) { console.log('cron', controller.cron) },
}`

before(async () => {
  instance = await startInstance()
  wrangler = await openWrangler(instance)
  await dmarcSender(instance, 'sender.example')
  const folder = join(wrangler.folder, 'watched')
  mkdirSync(folder)
  writeFileSync(join(folder, 'index.js'), SOURCE)
  writeFileSync(
    join(folder, 'wrangler.json'),
    JSON.stringify({
      ...{ name: 'watched', main: 'index.js', compatibility_date: '2026-10-01' },
      queues: {
        producers: [{ binding: 'Q', queue: 'watched-events' }],
        consumers: [{ queue: 'watched-events', max_batch_timeout: 0 }],
      },
      addresses: ['watched@yourdomain.com'],
    }),
  )
  await wrangler.prints('deploy --config watched/wrangler.json')
  pretty = wrangler.watch('tail watched --format pretty')
  json = wrangler.watch('tail watched --format json')
  await pretty.until(/Connected to watched, waiting for logs\.\.\./)
  await twoRead()
})
after(async () => {
  await using _wrangler = wrangler
  await using _instance = instance
  await using _json = json
  await using _pretty = pretty
})

const TAILS = () => `/accounts/${instance.dev.account_id}/workers/scripts/watched/tails`

interface Listed {
  readonly id: string
  readonly expires_at: string
}
const listed = () => api<readonly Listed[]>(instance, 'GET', TAILS())

/** The one that prints JSON says nothing of being connected: it is asked until an event arrives. */
async function twoRead(): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    await instance.askWorker('watched', '/')
    if (json.written().includes('"outcome"')) return
    await sleep(100)
  }
  assert.fail('no event arrived')
}

async function mail(subject: string): Promise<string> {
  const { reply } = await sendTo(instance.dev.mx.port, {
    ...{ from: 'ada@sender.example', to: 'watched@yourdomain.com' },
    content: `From: ada@sender.example\nTo: watched@yourdomain.com\nMessage-ID: <${subject}@sender.example>\nSubject: ${subject}\n\nhello\n`,
  })
  return reply
}

test('mail, with what the Worker logged of it', async () => {
  assert.match(await mail('hello'), /^550 5\.7\.1 .*not today/)
  const printed = await pretty.until(/Email from:.*\n.*mail from/)
  assert.match(
    printed,
    /^Email from:ada@sender\.example to:watched@yourdomain\.com size:\d+ @ .+ - Ok\n {2}\(log\) mail from ada@sender\.example \{ size: \d+ \}$/m,
  )
  const written = await json.until(/"rcptTo": ?"watched@yourdomain\.com"/)
  assert.match(written, /"scriptName": ?"watched"/)
})

test('mail on which the Worker threw, with the stack', async () => {
  assert.match(await mail('throw'), /^451 4\.3\.0 /)
  const printed = await pretty.until(/RangeError: too far\n\s+at Object\.email \(index\.js:\d+:\d+\)\n/)
  assert.match(printed, /Email from:ada@sender\.example .* - Exception Thrown/)
  // Of the frames, none is ours.
  assert.doesNotMatch(printed, /posthorn/)
})

test('requests, and the batch that one of them sent', async () => {
  const { text } = await instance.askWorker('watched', '/queue?x=1')
  assert.equal(text, 'hi')
  // Either may be told first.
  await pretty.until(/Queue watched-events .*\n.*taken/)
  const printed = await pretty.until(/\/queue\?x=1 - Ok @ .+\n.*asked/)
  assert.match(printed, /^GET http:\/\/watched\.\S+\/queue\?x=1 - Ok @ .+\n {2}\(warn\) asked$/m)
  assert.match(printed, /^Queue watched-events \(1 message\) - Ok @ .+\n {2}\(log\) taken \{ n: 1 \}$/m)
})

test('crons', async () => {
  const cron = '*/5 * * * *'
  await instance.askWorker('watched', `/cdn-cgi/handler/scheduled?cron=${encodeURIComponent(cron)}`)
  assert.match(await pretty.until(/"\*\/5/), /^"\*\/5 \* \* \* \*" @ .+ - Ok$/m)
})

test('filters hold back what they say', async () => {
  await using failures = wrangler.watch('tail watched --format pretty --status error')
  await using posts = wrangler.watch('tail watched --format pretty --method POST --search asked')
  await failures.until(/waiting for logs/)
  await posts.until(/waiting for logs/)
  await instance.askWorker('watched', '/get')
  await mail('throw')
  await instance.askWorker('watched', '/post', { method: 'POST' })
  assert.doesNotMatch(await posts.until(/POST http/), /GET|Email/)
  assert.doesNotMatch(await failures.until(/Exception Thrown/), /GET|POST|Queue/)
})

test('a tail is listed without its URL, and taken away when its reader ends', async () => {
  const tails = await listed()
  assert.equal(tails.length, 2)
  for (const tail of tails) {
    assert.deepEqual(Object.keys(tail), ['id', 'expires_at'])
    assert.ok(Date.parse(tail.expires_at) > Date.now())
  }
  const { status, written } = await pretty.stop()
  assert.equal(status, 0, written)
  assert.match(written, /Stopping tail\.\.\./)
  assert.equal((await listed()).length, 1)
})

test('a Worker that is deleted takes its readers with it', async () => {
  await wrangler.prints('delete --config watched/wrangler.json --force')
  const { written } = await json.stop()
  assert.doesNotMatch(written, /Reconnect/)
  assert.match(await wrangler.refuses('tail watched --format json'), /This Worker does not exist/)
})

const REFUSED: readonly [filters: unknown, pointer: string][] = [
  [[{ sampling: 1 }], '/filters/0/sampling'],
  [[{ sampling_rate: 2 }], '/filters/0/sampling_rate'],
  [[{ header: {} }], '/filters/0/header/key'],
  ['all', '/filters'],
]

test('filters that are none are refused by name', async () => {
  const { dev } = instance
  for (const [filters, pointer] of REFUSED) {
    const response = await fetch(`${dev.api}${TAILS()}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${dev.api_token}` },
      body: JSON.stringify({ filters }),
    })
    const { errors } = JSON.parse(await response.text())
    assert.deepEqual([response.status, errors[0].source?.pointer], [400, pointer])
  }
})
