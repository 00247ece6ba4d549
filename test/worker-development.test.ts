import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { type DevJson, devJson } from '#contract/dev-json.ts'
import { runClient } from '#test/client-program.ts'
import { fetchAtHost, type HostRequest } from '#test/fetch-at-host.ts'
import { type Watched, watchProgram } from '#test/watched-program.ts'

/** `posthorn dev --worker`: two projects in folders, the pages' own Workers of local development among them. */

const ROOT = join(import.meta.dirname, '..')
const COMMAND = join(ROOT, 'cli/posthorn.ts')

const SENDER = `export default {
  async fetch(request, env, ctx) {
    if (request.method !== "POST") {
      return new Response("Method not allowed", { status: 405 });
    }
    try {
      const emailData = await request.json();
      console.log("Sending email:", {
        to: emailData.to,
        from: emailData.from,
        subject: emailData.subject,
      });
      const response = await env.EMAIL.send(emailData);
      return new Response(
        JSON.stringify({
          success: true,
          id: response.messageId,
        }),
        {
          headers: { "Content-Type": "application/json" },
        },
      );
    } catch (error) {
      return new Response(
        JSON.stringify({
          success: false,
          error: error.message,
        }),
        {
          status: 500,
          headers: { "Content-Type": "application/json" },
        },
      );
    }
  },
};
`

const ROUTER = `import PostalMime from "postal-mime"
import { EmailMessage } from "cloudflare:email"
import note from "./note.txt"
interface Env { KV: any; JOBS: any; GREETING: string; SECRET: string }
export default {
  async fetch(request: Request, env: Env) {
    const { pathname } = new URL(request.url)
    if (pathname === "/kept") return new Response(await env.KV.get("job"))
    return new Response([note, env.GREETING, env.SECRET].join())
  },
  async email(message: any, env: Env) {
    const email = await PostalMime.parse(message.raw)
    console.log("Received", email.subject, message.rawSize)
    switch (email.subject) {
      case "reject": return message.setReject("not today")
      case "throw": throw new TypeError("thrown on purpose")
      case "reply": return void await message.reply({ from: message.to, to: message.from, text: "Thanks!" })
      case "reply elsewhere":
        return void await message.reply({ from: message.to, to: "other@example.com", text: "Thanks!" })
      case "job": return env.JOBS.send({ from: message.from })
      default: await message.forward("team@example.com", new Headers({ "X-Checked": "yes", "Subject": "no" }))
    }
  },
  async queue(batch: any, env: Env) { await env.KV.put("job", JSON.stringify(batch.messages.map((m: any) => m.body))) },
  async scheduled(event: any) { console.log("Ticked", event.cron, event.scheduledTime) },
}
`

const ROUTER_CONFIG = {
  ...{ name: 'router', main: 'src/index.ts', compatibility_date: '2026-06-30' },
  compatibility_flags: ['nodejs_compat'],
  kv_namespaces: [{ binding: 'KV', id: 'kept-things' }],
  queues: {
    producers: [{ binding: 'JOBS', queue: 'jobs' }],
    consumers: [{ queue: 'jobs', max_batch_timeout: 0 }],
  },
  triggers: { crons: ['0 0 1 1 *'] },
  addresses: ['support@yourdomain.com', 'nobody@elsewhere.example'],
  vars: { GREETING: 'hi', SECRET: 'in the open' },
}

const folder = mkdtempSync(join(tmpdir(), 'posthorn-projects-'))
const path = (...names: readonly string[]) => join(folder, ...names)
let command: Watched
let dev: DevJson

function write(name: string, content: string): void {
  mkdirSync(dirname(path(name)), { recursive: true })
  writeFileSync(path(name), content)
}

function environmentOf(data: string): Record<string, string> {
  const ports = ['HTTP', 'SUBMISSION', 'MX', 'DNS', 'WORKERS'].map((door) => [`POSTHORN_${door}_PORT`, '0'])
  return { ...Object.fromEntries(ports), POSTHORN_DATA: path(data) }
}

before(async () => {
  write(
    'sender/wrangler.toml',
    'name = "email-sending-worker"\ncompatibility_date = "2026-06-30"\n\n[[send_email]]\nname = "EMAIL"\n',
  )
  write('sender/src/index.js', SENDER)
  write('router/wrangler.jsonc', JSON.stringify(ROUTER_CONFIG))
  write('router/src/index.ts', ROUTER)
  write('router/src/note.txt', 'first note')
  write('router/.dev.vars', 'SECRET=of this machine\n')
  symlinkSync(join(ROOT, 'node_modules'), path('node_modules'))
  const given = ['--worker', 'sender', '--worker', path('router')]
  const environment = environmentOf('data')
  command = watchProgram(process.execPath, [COMMAND, 'dev', ...given], { folder, environment })
  await command.until(/Try them/)
  dev = devJson.parse(JSON.parse(readFileSync(path('data/dev.json'), 'utf8')))
})

after(async () => {
  const { status } = await command.stop()
  rmSync(folder, { recursive: true, force: true })
  assert.equal(status, 0)
})

const router = (where: string, request?: HostRequest) =>
  fetchAtHost(dev.workers.port, `http://router.dev.localhost:${dev.workers.port}${where}`, request)
const local = (where: string, request?: HostRequest) =>
  fetchAtHost(dev.workers.port, `http://localhost:${dev.workers.port}${where}`, request)

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

function handle(body: string | Buffer, query: string) {
  return local(`/cdn-cgi/handler/email?${query}`, { method: 'POST', headers: FORM, body })
}

/** With the line ends of an editor. */
const message = (subject: string, more = '') =>
  `From: "John" <sender@example.com>\nTo: support@yourdomain.com\nSubject: ${subject}\nMessage-ID: <m@example.com>\n${more}\nHi there\n`

const ENVELOPE = 'from=sender@example.com&to=support@yourdomain.com'

async function inbox(query: string): Promise<{ readonly id: string; readonly raw: string }> {
  const found = await (
    await fetch(`${dev.inbox}/search?query=${encodeURIComponent(query)}&wait=20000`)
  ).json()
  const id = String(Object(found).messages[0]?.ID)
  return { id, raw: await (await fetch(`${dev.inbox}/message/${id}/raw`)).text() }
}

test('the start says where each Worker is, what it has, and what is left aside', () => {
  const written = command.written()
  assert.match(written, /email-sending-worker {3}http:\/\/localhost:\d+\n {6}fetch\(\)\n/)
  assert.match(
    written,
    /router {3}http:\/\/router\.dev\.localhost:\d+\n {6}fetch\(\), email\(\), queue\(\), scheduled\(\); mail for support@yourdomain\.com, .*; queue jobs; cron 0 0 1 1 \*\n/,
  )
  assert.match(written, /▲ addresses: nobody@elsewhere\.example is at no domain that takes mail here/)
})

test('a send is told as the page shows it, and is in the inbox', async () => {
  const body = JSON.stringify({
    ...{ to: 'recipient@example.com', from: 'sender@yourdomain.com', subject: 'Test Email' },
    ...{ html: '<h1>Hello from Wrangler!</h1>', text: 'Hello from Wrangler!' },
  })
  const answer = JSON.parse(
    (await local('/', { body, headers: { 'content-type': 'application/json' } })).text,
  )
  assert.equal(answer.success, true)
  const written = await command.until(/\[email-sending-worker\] POST \/ 200/)
  const told = written.slice(written.indexOf('Sending email:'))
  assert.match(
    told,
    /send_email binding called with MessageBuilder:\nFrom: sender@yourdomain\.com\nTo: recipient@example\.com\nSubject: Test Email\n\nText: .+\.txt\nHTML: .+\.html\n/,
  )
  const file = /Text: (.+\.txt)/.exec(told)?.[1] ?? ''
  assert.equal(readFileSync(file, 'utf8'), 'Hello from Wrangler!')
  assert.match((await inbox('recipient:recipient@example.com')).raw, /Hello from Wrangler!/)
})

test('a send that is refused is told too', async () => {
  const body = JSON.stringify({
    to: 'a@example.com',
    from: 'sender@elsewhere.example',
    subject: 'x',
    text: 'x',
  })
  assert.equal((await local('/', { body })).status, 500)
  await command.until(
    /a message that is refused \(EMAIL\):\nE_SENDER_DOMAIN_NOT_AVAILABLE: .*elsewhere\.example/,
  )
})

test('bindings, variables and secrets of this machine', async () => {
  assert.equal((await router('/')).text, 'first note,hi,of this machine')
})

test('a message under any Content-Type, with LF, is handled; what is forwarded is in the inbox', async () => {
  const answer = await handle(message('hello'), ENVELOPE)
  assert.deepEqual([answer.status, answer.text], [200, 'Worker successfully processed email\n'])
  const { raw } = await inbox('recipient:team@example.com')
  assert.match(raw, /^X-Checked: yes\r\nFrom: "John"/m)
  assert.match(raw, /^Subject: hello\r$/m)
  await command.until(/\[router\] Received hello \d+\n/)
  await command.until(/Email handler forwarded message with\n {2}rcptTo: team@example\.com\n/)
})

test('as JSON: a forward', async () => {
  const { status, text } = await handle(message('hello'), `${ENVELOPE}&format=json`)
  const { outcome, forwards, replies, events, logs } = JSON.parse(text)
  assert.deepEqual([status, outcome, replies], [200, 'ok', []])
  assert.deepEqual(forwards, [
    { recipient: 'team@example.com', headers: [['x-checked', 'yes']], messageId: '<m@example.com>' },
  ])
  assert.deepEqual(
    events.map(({ type }: { type: string }) => type),
    ['received', 'forward'],
  )
  assert.equal(logs[0].message[0], 'Received')
})

test('a reply is one of the thread, and is in the inbox', async () => {
  const { text } = await handle(
    message('reply', 'References: <first@example.com>\n'),
    `${ENVELOPE}&format=json`,
  )
  const { replies } = JSON.parse(text)
  assert.equal(replies.length, 1)
  const { raw } = await inbox(`recipient:sender@example.com message-id:${replies[0].messageId.slice(1, -1)}`)
  assert.match(raw, /^In-Reply-To: <m@example\.com>\r$/m)
  assert.match(raw, /^References: <first@example\.com> <m@example\.com>\r$/m)
  assert.match(raw, /^Subject: Re: reply\r$/m)
})

test('rules of replies hold: to its sender alone', async () => {
  const { status, text } = await handle(message('reply elsewhere'), `${ENVELOPE}&format=json`)
  const { outcome, replies, error } = JSON.parse(text)
  assert.deepEqual([status, outcome, replies], [500, 'exception', []])
  assert.match(error, /the recipient has to be the sender of the message/)
})

test('a rejection and an exception, as text and as JSON', async () => {
  const rejected = await handle(message('reject'), ENVELOPE)
  assert.deepEqual(
    [rejected.status, rejected.text],
    [400, 'Worker rejected email with the following reason: not today\n'],
  )
  const asJson = JSON.parse((await handle(message('reject'), `${ENVELOPE}&format=json`)).text)
  assert.deepEqual([asJson.outcome, asJson.rejectReason], ['ok', 'not today'])
  const thrown = await handle(message('throw'), `${ENVELOPE}&format=json`)
  const { outcome, exceptions } = JSON.parse(thrown.text)
  assert.deepEqual([thrown.status, outcome, exceptions[0].name], [500, 'exception', 'TypeError'])
  assert.match((await handle(message('throw'), ENVELOPE)).text, /^TypeError: thrown on purpose/)
  await command.until(/✘ TypeError: thrown on purpose\n {4}at .*\(src\/index\.ts:16:\d+\)/)
})

const REFUSED: Readonly<Record<string, readonly [body: string, query: string, text: RegExp]>> = {
  'without Message-ID': ['Subject: x\n\nx', ENVELOPE, /invalid or no message id provided/],
  'without a body': ['', ENVELOPE, /must include URL parameters specifying the `from` and `to`/],
  'without from': [message('x'), 'to=a@example.com', /must include URL parameters/],
  'without to': [message('x'), 'from=a@example.com', /must include URL parameters/],
  'an address that is none': [message('x'), 'from=a@example.com&to=b', /`to` is "b": .*no '@'/],
  'a header that is none': ['no header\n\nx', ENVELOPE, /^Email could not be parsed: /],
}

for (const [what, [body, query, expected]] of Object.entries(REFUSED)) {
  test(`a message is refused with 400: ${what}`, async () => {
    const { status, text } = await handle(body, query)
    assert.equal(status, 400)
    assert.match(text, expected)
  })
}

test('25 MiB are taken, and no octet more', async () => {
  const head = Buffer.from(message('large'))
  const largest = Buffer.concat([head, Buffer.alloc(25 * 1_048_576 - head.length, 'x')])
  const answer = JSON.parse((await handle(largest, `${ENVELOPE}&format=json`)).text)
  assert.equal(answer.outcome, 'ok')
  const { status, text } = await handle(Buffer.concat([largest, Buffer.from('x')]), ENVELOPE)
  assert.equal(status, 400)
  assert.match(text, /bigger than the production size limit of 25 MiB/)
})

test('scheduled() at a moment of choice', async () => {
  const { status, text } = await local('/cdn-cgi/handler/scheduled?cron=0+0+1+1+*&time=1000&format=json')
  assert.deepEqual([status, JSON.parse(text).outcome], [200, 'ok'])
  await command.until(/\[router\] Ticked 0 0 1 1 \* 1000\n/)
})

test('queues and namespaces that are named are there', async () => {
  await handle(message('job'), ENVELOPE)
  await command.until(/\[router\] queue jobs, messages: 1/)
  assert.equal((await router('/kept')).text, '[{"from":"sender@example.com"}]')
})

test('addresses have their rules', async () => {
  const response = await fetch(`${dev.api}/zones/${dev.zone_id}/email/routing/rules`, {
    headers: { authorization: `Bearer ${dev.api_token}` },
  })
  const { result } = Object(await response.json())
  assert.deepEqual(
    result.map(({ matchers, actions }: { matchers: { value: string }[]; actions: unknown }) => [
      matchers[0]?.value,
      actions,
    ]),
    [['support@yourdomain.com', [{ type: 'worker', value: ['router'] }]]],
  )
})

test('a page of another site may send nothing', async () => {
  const { status } = await local(`/cdn-cgi/handler/email?${ENVELOPE}`, {
    method: 'POST',
    headers: { origin: 'http://evil.example' },
    body: message('hello'),
  })
  assert.equal(status, 403)
})

test('changes count at once: of a text, of the code, of the configuration, of secrets', async () => {
  const reloads = () => command.written().match(/\[router\] reloaded in \d+ ms\n/g)?.length ?? 0
  const reloaded = async (name: string, content: string) => {
    const times = reloads() + 1
    write(name, content)
    await command.until(new RegExp(`(?:\\[router\\] reloaded in \\d+ ms\\n[^]*){${times}}`))
    return (await router('/')).text
  }
  assert.equal(await reloaded('router/src/note.txt', 'second note'), 'second note,hi,of this machine')
  assert.equal(
    await reloaded('router/src/index.ts', ROUTER.replace('.join()', '.join(" + ")')),
    'second note + hi + of this machine',
  )
  const config = JSON.stringify({ ...ROUTER_CONFIG, vars: { GREETING: 'hello' } })
  assert.equal(await reloaded('router/wrangler.jsonc', config), 'second note + hello + of this machine')
  assert.equal(await reloaded('router/.dev.vars', 'SECRET=changed\n'), 'second note + hello + changed')
})

test('what is wrong is shown, and the version before runs on', async () => {
  const { text } = await router('/')
  write('router/src/index.ts', `${ROUTER}\nexport const half = {`)
  await command.until(
    /\[router\] ✘ \[ERROR\] .*\n\n {4}src\/index\.ts:\d+:\d+:[^]*not reloaded; the version before runs on/,
  )
  assert.equal((await router('/')).text, text)
  write('router/wrangler.jsonc', '{ "name": 1 }')
  await command.until(/\[router\] ✘ wrangler\.jsonc: name must be a text/)
  write('router/src/index.ts', `throw new Error("at the start")\n${ROUTER}`)
  write('router/wrangler.jsonc', JSON.stringify(ROUTER_CONFIG))
  await command.until(/\[router\] ✘ The Worker does not start: [^]*at the start/)
  assert.equal((await router('/')).text, text)
  write('router/src/index.ts', ROUTER)
  await command.until(/does not start[^]*\[router\] (reloaded in|is right again)/)
})

test('a folder that is wrong ends the start in a sentence', async () => {
  write('wrong/wrangler.jsonc', '{ "name": "wrong", "r2_buckets": [{ "binding": "B" }] }')
  const { status, stderr } = await runClient(process.execPath, [COMMAND, 'dev', '--worker', 'wrong'], {
    folder,
    environment: environmentOf('wrong-data'),
  })
  assert.equal(status, 78)
  const sentence = 'wrangler.jsonc: r2_buckets needs R2, which this service does not have'
  assert.equal(stderr, `posthorn: --worker ${path('wrong')}: ${sentence}\n`)
})
