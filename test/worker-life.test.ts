import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { arrived, emptyInbox, theOneArrived } from '#test/arrived.ts'
import { fetchWorker, workerUrl } from '#test/fetch-worker.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { SENDER, toMx, verifiedAddress } from '#test/routing-instance.ts'
import type { Watched } from '#test/watched-program.ts'
import { openWrangler, type Wrangler } from '#test/wrangler.ts'

/** A Worker from its first deploy to its end, with `wrangler`, unmodified: what runs is always what was deployed last,
 *  and who watches it sees each message. The tests run in order. */
let instance: Instance
let wrangler: Wrangler
let tail: Watched

const ADDRESS = 'support@yourdomain.com'

before(async () => {
  instance = await startInstance()
  wrangler = await openWrangler(instance)
  await verifiedAddress(instance, 'team@example.com')
  // That was asked to verify itself.
  await theOneArrived(instance)
  const config = {
    ...{ name: 'desk', main: 'index.js', compatibility_date: '2026-06-30', addresses: [ADDRESS] },
  }
  writeFileSync(join(wrangler.folder, 'wrangler.json'), JSON.stringify(config))
})
after(async () => {
  await tail?.[Symbol.asyncDispose]()
  await wrangler[Symbol.asyncDispose]()
  await instance[Symbol.asyncDispose]()
})
beforeEach(() => emptyInbox(instance))

/** What it forwards says which version it was, and what secret that had. */
function writeVersion(name: string): void {
  const code = `export default {
    async email(message, env) {
      console.log('${name} has', message.headers.get('subject'))
      if (message.headers.get('subject') === 'throw') throw new TypeError('no such thing')
      const headers = new Headers({ 'X-Version': '${name}', 'X-Secret': env.API_SECRET ?? 'none' })
      await message.forward('team@example.com', headers)
    },
    async fetch(request, env) { return new Response('${name} ' + (env.API_SECRET ?? 'none')) },
  }`
  writeFileSync(join(wrangler.folder, 'index.js'), code)
}

const mail = (subject: string) =>
  toMx(instance, {
    to: ADDRESS,
    content: `From: Someone <${SENDER}>\nTo: ${ADDRESS}\nSubject: ${subject}\nMessage-ID: <${subject}@pass.posthorn.test>\n\nHello\n`,
  })

async function forwardedBy(subject: string): Promise<readonly (string | undefined)[]> {
  assert.match(await mail(subject), /^250 /)
  const { mail: copy, to } = await theOneArrived(instance)
  assert.deepEqual([to, copy.subject], ['team@example.com', subject])
  return ['x-version', 'x-secret'].map((name) => copy.headers.find(({ key }) => key === name)?.value)
}

let host: string
const ask = () => fetchWorker(`${workerUrl(instance, host)}/`)

async function deploy(): Promise<void> {
  const printed = await wrangler.prints('deploy')
  const [place = ''] = /(?<=^ {2})desk\.\S+$/m.exec(printed.replaceAll('<id>', instance.dev.account_id)) ?? []
  host = place
}

test('the first deploy serves mail and HTTP at once', async () => {
  writeVersion('one')
  await deploy()
  assert.deepEqual(await forwardedBy('first'), ['one', 'none'])
  assert.equal((await ask()).text, 'one none')
})

test('a secret is there for the next message', async () => {
  await wrangler.prints('secret put API_SECRET', { input: 's3cr3t' })
  assert.deepEqual(await forwardedBy('second'), ['one', 's3cr3t'])
  assert.equal((await ask()).text, 'one s3cr3t')
})

test('tail shows a message as it is handled, with what the Worker logged', async () => {
  tail = wrangler.watch('tail desk --format pretty')
  await tail.until(/waiting for logs/)
  assert.deepEqual(await forwardedBy('third'), ['one', 's3cr3t'])
  const shown = await tail.until(/\(log\) .*third/)
  assert.match(
    shown,
    /^Email from:someone@pass\.posthorn\.test to:support@yourdomain\.com size:\d+ @ .+ - Ok\n {2}\(log\) one has third$/m,
  )
})

test('the second deploy keeps the secret, and tail goes on with it', async () => {
  writeVersion('two')
  await deploy()
  assert.deepEqual(await forwardedBy('fourth'), ['two', 's3cr3t'])
  assert.equal((await ask()).text, 'two s3cr3t')
  await tail.until(/\(log\) two has fourth/)
})

test('an exception is the sender’s temporary error, and in the tail', async () => {
  assert.match(await mail('throw'), /^451 4\.3\.0 /)
  await arrived(instance, 0)
  const shown = await tail.until(/no such thing/)
  assert.match(shown, /size:\d+ @ .+ - Exception Thrown\n {2}\(log\) two has throw\n/)
  assert.match(shown, /TypeError: no such thing/)
  assert.doesNotMatch(shown, /s3cr3t/)
})

test('it is there after a restart', async () => {
  assert.equal((await tail.stop()).status, 0)
  await instance.restart()
  assert.deepEqual(await forwardedBy('fifth'), ['two', 's3cr3t'])
})

test('delete ends it, for mail and for HTTP', async () => {
  assert.match(await wrangler.prints('delete --force'), /Successfully deleted desk$/)
  assert.equal((await ask()).status, 404)
  assert.equal(await mail('sixth'), '550 5.1.1 No such address here')
  await arrived(instance, 0)
})

test('nothing of it went anywhere else', () => {
  assert.equal(wrangler.strayConnections(), 0)
  assert.doesNotMatch(instance.log(), /s3cr3t/)
})
