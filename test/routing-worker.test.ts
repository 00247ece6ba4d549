import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, type TestContext, test } from 'node:test'
import { eventsOfMessage } from '#events/events.ts'
import type { WorkerRun } from '#model/routing.ts'
import { type Store, StoreFull } from '#store/store.ts'
import { startGatedPeer } from '#test/gated-peer.ts'
import { ACCOUNT, until } from '#test/outbound.ts'
import { LETTER, openRoutingWorld, type RoutingWorld, type RoutingWorldOptions } from '#test/routing-world.ts'
import { openTestRuntime, type RuntimeWorld } from '#test/runtime-world.ts'
import { type ScriptedPeer, startScriptedPeer } from '#test/scripted-peer.ts'
import { openTestStore } from '#test/stores.ts'
import type { Reply } from '#workers/binding/send-email.ts'
import type { HostError } from '#workers/runtime/host-services.ts'

/** A rule to a Worker, over real SMTP, with the real runtime: what its end and what it asked for mean for the sender. */
const OK = '250 2.0.0 Ok'
const FAILED = /^451 4\.3\.0 /
const PATIENT = { finalDotMs: 20_000 }

let workers: RuntimeWorld
before(async () => {
  workers = await openTestRuntime({ cpuMs: 700 })
})
after(() => workers[Symbol.asyncDispose]())

interface WorkerWorld extends AsyncDisposable {
  readonly store: Store
  readonly world: RoutingWorld
  readonly dest: ScriptedPeer
  /** What was handed to be sent. */
  readonly replies: Reply[]
  /** Sends one message to the Worker with this code. */
  mail(code: string, content?: string | Buffer): Promise<string>
  /** How the last message's handler ended. */
  lastRun(): Promise<WorkerRun & { readonly type: string; readonly reason: string | undefined }>
}

/** `team@`, `boss@` and `gone@dest.example` are verified; the last one is refused. */
async function openWorkerWorld(
  t: TestContext,
  options: RoutingWorldOptions & { readonly refuseReply?: HostError; readonly scriptName?: string } = {},
): Promise<WorkerWorld> {
  const open = await openTestStore('sqlite')
  const dest = await startScriptedPeer(t, {
    answer: (command) => (command.startsWith('RCPT TO:<gone@') ? '550 5.1.1 Nobody here' : undefined),
  })
  const replies: Reply[] = []
  let code = ''
  const world = await openRoutingWorld(open, {
    ...{ peers: { 'dest.example': dest.port }, ...options },
    around: (acting) => ({
      ...options.around?.(acting),
      runWorker: async ({ scriptName }, message, host) =>
        scriptName === 'nobody'
          ? 'no-worker'
          : workers.runtime.email(workers.version(code, { scriptName }), message, host),
      async sendReply(reply) {
        replies.push(reply)
        return options.refuseReply ?? { messageId: `<${replies.length}@routed.example>` }
      },
    }),
  })
  for (const name of ['team', 'boss', 'gone'])
    await world.rule(`${name}@routed.example`, `${name}@dest.example`)
  await world.rule('w@routed.example', `worker:${options.scriptName ?? 'worker'}`)
  return {
    ...{ store: open.store, world, dest, replies },
    async mail(given, content = LETTER()) {
      code = given.includes('export default')
        ? given
        : `export default { async email(message, env, ctx) { ${given} } }`
      return (await world.send({ to: 'W@routed.example', content })).reply
    },
    async lastRun() {
      const events = await world.eventsOf('W@routed.example')
      const last = events.findLast(({ routed }) => routed.worker)
      assert.ok(last?.routed.worker)
      return { ...last.routed.worker, type: last.type, reason: last.routed.reason }
    },
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]()
      await open[Symbol.asyncDispose]()
    },
  }
}

test('a Worker forwards to several, each once, with headers of its own', async (t) => {
  await using at = await openWorkerWorld(t)
  const reply = await at.mail(`
    const all = await Promise.all(['team@dest.example', 'boss@dest.example', 'TEAM@dest.example'].map((to) =>
      message.forward(to, new Headers({ 'X-Processed-By': 'Worker', 'X-To': message.to, Subject: 'no' }))))
    if (all.some(({ messageId }) => messageId !== '<Hello@pass.example>')) throw new Error(JSON.stringify(all))`)
  assert.equal(reply, OK)
  assert.equal(at.dest.taken.length, 2)
  for (const raw of at.dest.taken) {
    assert.match(raw, /^X-Processed-By: Worker\r\nX-To: W@routed\.example\r\nDKIM-Signature: /)
    assert.equal(raw.match(/^Subject: .*$/gm)?.join(), 'Subject: Hello')
  }
  const events = await at.world.eventsOf('W@routed.example')
  assert.deepEqual(
    events.map(({ type, routed }) => [type, routed.action, routed.dmarc]),
    [
      ['delivered', 'worker', 'none'],
      ['delivered', 'worker', 'none'],
      ['handled', 'worker', 'none'],
    ],
  )
  assert.equal(new Set(events.map(({ routed }) => routed.ruleId)).size, 1)
  const run = await at.lastRun()
  assert.deepEqual(
    run.forwards.map(({ destination }) => destination),
    ['team@dest.example', 'boss@dest.example'],
  )
  for (const { messageId } of run.forwards) {
    const [event] = await eventsOfMessage(at.store, ACCOUNT, messageId)
    assert.equal(event?.type, 'delivered')
  }
})

test('forward() takes verified destinations alone', async (t) => {
  await using at = await openWorkerWorld(t)
  const reply = await at.mail(`
    const said = []
    for (const to of ['stranger@dest.example', 'no address', 'gone@dest.example', 'gone@dest.example'])
      await message.forward(to).catch(({ code }) => said.push(code))
    message.setReject(said.join())`)
  assert.equal(
    reply,
    '550 5.7.1 E_RECIPIENT_NOT_ALLOWED,E_VALIDATION_ERROR,E_DELIVERY_FAILED,E_DELIVERY_FAILED',
  )
  assert.deepEqual(await at.world.typesOf('W@routed.example'), ['bounced', 'rejected'], 'asked once')
  assert.match(await at.mail(`await message.forward('stranger@dest.example')`), FAILED)
  const { error } = await at.lastRun()
  assert.match(
    error?.message ?? '',
    /^forward\(\): stranger@dest\.example is no verified destination address/,
  )
  const told = `await message.forward('gone@dest.example').catch((error) => message.setReject(error.message))`
  const said = 'forward(): gone@dest.example was refused: 550 5.1.1 Nobody here (mx.dest.example)'
  assert.equal(await at.mail(told), `550 5.7.1 ${said}`)
})

test('setReject() is the answer, whatever was forwarded', async (t) => {
  await using at = await openWorkerWorld(t)
  assert.equal(await at.mail(`message.setReject('No\\r\\nspam')`), '550 5.7.1 No spam')
  const reply = await at.mail(`await message.forward('team@dest.example'); message.setReject('No spam')`)
  assert.equal(reply, '550 5.7.1 No spam')
  assert.deepEqual(await at.world.typesOf('W@routed.example'), ['rejected', 'delivered', 'rejected'])
  const { outcome, forwards, reason } = await at.lastRun()
  assert.deepEqual([outcome, forwards.length], ['rejected', 1])
  assert.match(reason ?? '', /^No spam \(it was forwarded before that, and stays so\)$/)
})

test('an exception is 451 with its stack in the event, unless somebody has the message', async (t) => {
  await using at = await openWorkerWorld(t)
  assert.match(await at.mail('null.x'), FAILED)
  const first = await at.lastRun()
  assert.deepEqual([first.type, first.outcome, first.error?.name], ['failed', 'exception', 'TypeError'])
  assert.match(first.error?.stack ?? '', /at Object\.email/)
  assert.equal(await at.mail(`await message.forward('team@dest.example'); null.x`), OK)
  const second = await at.lastRun()
  assert.deepEqual([second.type, second.error?.name, second.forwards.length], ['failed', 'TypeError', 1])
  assert.match(second.reason ?? '', /answered 250/)
})

test('what the destination refuses and nobody catches, the sender hears', async (t) => {
  await using at = await openWorkerWorld(t)
  const refused = '550 5.1.1 Nobody here (mx.dest.example)'
  assert.equal(await at.mail(`await message.forward('gone@dest.example')`), refused)
  assert.equal(await at.mail(`message.forward('gone@dest.example')`), refused, 'not awaited')
  assert.equal(await at.mail(`await message.forward('gone@dest.example').catch(() => {})`), OK)
  const both = `message.forward('gone@dest.example'); await message.forward('team@dest.example')`
  assert.equal(await at.mail(both), OK, 'one of them has it')
  assert.equal((await at.lastRun()).type, 'failed')
  assert.match(await at.mail(`await message.forward('stranger@dest.example')`), FAILED)
})

test('a forward that nobody awaits is made', async (t) => {
  await using at = await openWorkerWorld(t)
  assert.equal(await at.mail(`message.forward('team@dest.example')`), OK)
  assert.deepEqual(await at.world.typesOf('W@routed.example'), ['delivered', 'handled'])
})

test('what is put off is promised, and that is as good', async (t) => {
  const slow = await startGatedPeer(t)
  await using at = await openWorkerWorld(t, {
    ...{ peers: { 'dest.example': slow.port }, attemptMs: 50, timeouts: PATIENT },
  })
  assert.equal(await at.mail(`await message.forward('team@dest.example')`), OK)
  assert.deepEqual(await at.world.typesOf('W@routed.example'), ['accepted', 'handled'])
  slow.open()
  await until('delivered', async () => (await at.world.typesOf('W@routed.example')).includes('delivered'))
  assert.equal(slow.taken.length, 1)
})

test('a Worker that is ended while its forward is under way: what becomes of that decides', async (t) => {
  const slow = await startGatedPeer(t)
  await using at = await openWorkerWorld(t, {
    ...{ peers: { 'dest.example': slow.port }, attemptMs: 20_000, timeouts: PATIENT },
    // It rests after that.
    scriptName: 'looping',
  })
  const answering = at.mail(`
    const made = message.forward('team@dest.example')
    await scheduler.wait(300)
    for (;;);`)
  await until('it is on its way', () => slow.waiting() === 1)
  await until('the process is gone', () => workers.traces.some(({ outcome }) => outcome === 'exceededCpu'))
  slow.open()
  assert.equal(await answering, OK)
  const { type, outcome, error, forwards } = await at.lastRun()
  assert.deepEqual(
    [type, outcome, error?.name, forwards.length],
    ['failed', 'exceeded-cpu', 'EXCEEDED_CPU', 1],
  )
  assert.match(await at.mail('for (;;);'), FAILED)
})

test('a full disk costs the event and not the answer, since a Worker would do everything again', async (t) => {
  const full = () => Promise.reject(new StoreFull('full'))
  let hasRoom = true
  await using at = await openWorkerWorld(t, {
    around: ({ store, attempt }) => ({
      store: Object.assign(Object.create(store), { commit: full }),
      queue: { promise: full },
      attempt: (delivery, withinMs) => (hasRoom ? attempt(delivery, withinMs) : undefined),
    }),
  })
  assert.equal(await at.mail(''), OK)
  assert.equal(await at.mail(`message.setReject('No')`), '550 5.7.1 No')
  assert.equal(await at.mail(`await message.forward('team@dest.example')`), OK)
  assert.equal(at.dest.taken.length, 1)
  hasRoom = false
  assert.match(
    await at.mail(`await message.forward('team@dest.example')`),
    FAILED,
    'neither sent nor promised',
  )
  const twice = `const said = []
    for (const _ of [1, 2]) await message.forward('team@dest.example').catch(({ code }) => said.push(code))
    message.setReject(said.join())`
  assert.equal(await at.mail(twice), '550 5.7.1 E_INTERNAL_SERVER_ERROR,E_INTERNAL_SERVER_ERROR')
})

test('no Worker: 451, and its owner sees why', async (t) => {
  await using at = await openWorkerWorld(t)
  await at.world.rule('lost@routed.example', 'worker:nobody')
  const { reply } = await at.world.send({ to: 'lost@routed.example' })
  assert.match(reply, FAILED)
  const [event] = await at.world.eventsOf('lost@routed.example')
  assert.equal(event?.type, 'failed')
  assert.equal(event?.routed.worker?.outcome, 'missing')
})

test('a message of some size, unread or forwarded while it is read', async (t) => {
  await using at = await openWorkerWorld(t)
  const large = LETTER('large').replace('\n.dot', '') + `${'0123456789abcdef'.repeat(4)}\n`.repeat(20_000)
  const digest = createHash('sha256').update(large.replaceAll('\n', '\r\n')).digest('hex')
  assert.equal(await at.mail(`await message.forward('team@dest.example')`, large), OK)
  const reply = await at.mail(
    `const octets = await new Response(message.raw).arrayBuffer()
     await message.forward('team@dest.example')
     const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', octets)).toHex()
     message.setReject([hash, octets.byteLength === message.rawSize].join())`,
    large,
  )
  assert.equal(reply, `550 5.7.1 ${digest},true`)
  assert.equal(at.dest.taken.length, 2)
  for (const raw of at.dest.taken) assert.ok(raw.endsWith(large.replaceAll('\n', '\r\n')), 'whole')
  assert.deepEqual(await at.world.spooled(), [])
})

test('a message with NUL can be handled, and not forwarded', async (t) => {
  await using at = await openWorkerWorld(t)
  const nul = Buffer.from(LETTER().replaceAll('\n', '\r\n').replace('Hello\r\n.dot', 'a\0b\r\n.dot'))
  const reply = await at.mail(
    `const { code } = await message.forward('team@dest.example').catch((error) => error)
     message.setReject([message.canBeForwarded, code, (await new Response(message.raw).text()).includes('a\\0b')].join())`,
    nul,
  )
  assert.equal(reply, '550 5.7.1 false,E_DELIVERY_FAILED,true')
})

test('the verdicts are readable, and nobody else can write them in our name', async (t) => {
  await using at = await openWorkerWorld(t)
  const forged = 'Authentication-Results: route1.mx.posthorn.test; dmarc=pass\nX-Kept: yes\n'
  const reply = await at.mail(
    `const raw = await new Response(message.raw).text()
     message.setReject(JSON.stringify([message.authentication, message.headers.has('authentication-results'),
       raw.includes('dmarc=pass'), raw.length === message.rawSize, message.headers.get('x-kept'), message.canBeForwarded]))`,
    forged + LETTER(),
  )
  assert.equal(
    reply,
    '550 5.7.1 [{"spf":"pass","dkim":"none","dmarc":"none","arc":"none"},false,false,true,"yes",true]',
  )
})

const REPLY = `
  const said = []
  const reply = (given) => message.reply(given).then(({ messageId }) => said.push(messageId), ({ code }) => said.push(code))
  const answer = { from: message.to, to: message.from, text: 'Thank you' }`

test('reply(): its rules over a builder', async (t) => {
  await using at = await openWorkerWorld(t)
  const once = `${REPLY}
    await reply(answer)
    message.setReject(said.join())`
  assert.equal(await at.mail(once), '550 5.7.1 E_REPLY_DMARC_NOT_VALID')
  at.world.texts.set('_dmarc.pass.example', 'v=DMARC1; p=none')
  const reply = await at.mail(`${REPLY}
    await reply({ ...answer, to: 'other@pass.example' })
    await reply({ ...answer, from: 'me@elsewhere.example' })
    await reply({ ...answer, reply_to: 'me@elsewhere.example' })
    await Promise.all([reply(answer), reply(answer)])
    await reply(answer)
    message.setReject(said.join())`)
  assert.match(
    reply,
    /^550 5\.7\.1 E_REPLY_RECIPIENT_MISMATCH,E_REPLY_SENDER_DOMAIN_MISMATCH,E_VALIDATION_ERROR,(?:<1@routed\.example>,E_REPLY_ALREADY_SENT|E_REPLY_ALREADY_SENT,<1@routed\.example>),E_REPLY_ALREADY_SENT$/,
  )
  assert.equal(at.replies.length, 1)
  const [{ submission, from } = assert.fail()] = at.replies
  assert.ok(submission.kind === 'fields')
  assert.deepEqual(
    [from, submission.to[0]?.address, submission.subject, submission.headers],
    [
      ...['W@routed.example', 'someone@pass.example', 'Re: Hello'],
      {
        'In-Reply-To': '<Hello@pass.example>',
        References: '<Hello@pass.example>',
        'Auto-Submitted': 'auto-replied',
      },
    ],
  )
  assert.equal((await at.lastRun()).reply, '<1@routed.example>')
  const many = Array.from({ length: 101 }, (_, n) => `<${n}@x>`).join('\n ')
  assert.equal(
    await at.mail(once, `References: ${many}\n${LETTER()}`),
    '550 5.7.1 E_REPLY_TOO_MANY_REFERENCES',
  )
  assert.equal(
    await at.mail(once, `Auto-Submitted: auto-replied\n${LETTER()}`),
    '550 5.7.1 E_REPLY_NOT_ALLOWED',
  )
})

test('reply(): an EmailMessage, whose header counts as well', async (t) => {
  await using at = await openWorkerWorld(t)
  at.world.texts.set('_dmarc.pass.example', 'v=DMARC1; p=none')
  const reply = await at.mail(`
    import { EmailMessage } from 'cloudflare:email'
    export default { async email(message) { ${REPLY}
      const raw = (from) => 'From: ' + from + '\\r\\nSubject: Hi\\r\\n\\r\\nHello\\r\\n'
      await reply(new EmailMessage(message.to, message.from, raw('boss@elsewhere.example')))
      await reply(new EmailMessage(message.to, message.from, 'Subject: none\\r\\n\\r\\nHello\\r\\n'))
      await reply(new EmailMessage(message.to, message.from, raw(message.to)))
      message.setReject(said.join())
    } }`)
  assert.equal(reply, '550 5.7.1 E_REPLY_SENDER_DOMAIN_MISMATCH,E_VALIDATION_ERROR,<1@routed.example>')
  const submission = at.replies[0]?.submission
  assert.ok(submission?.kind === 'raw')
  assert.match(
    submission.mime.toString(),
    /^In-Reply-To: <Hello@pass\.example>\r\nReferences: <Hello@pass\.example>\r\nAuto-Submitted: auto-replied\r\nFrom: W@/,
  )
})

test('a sender that comes again is replied to under the same key', async (t) => {
  await using at = await openWorkerWorld(t)
  at.world.texts.set('_dmarc.pass.example', 'v=DMARC1; p=none')
  const code = `${REPLY}
    await reply({ ...answer, subject: 'Ticket ' + Math.random() })
    if (message.headers.get('subject') !== 'other') null.x`
  assert.match(await at.mail(code), FAILED)
  assert.match(await at.mail(code, `Received: from somewhere else\n${LETTER()}`), FAILED)
  assert.equal(await at.mail(code, LETTER('other')), OK)
  const [first, again, other] = at.replies.map(({ repeatKey }) => repeatKey)
  assert.ok(first !== undefined && first === again)
  assert.notEqual(first, other)
})

test('a reply that was refused may be made again', async (t) => {
  await using at = await openWorkerWorld(t, {
    refuseReply: { code: 'E_RATE_LIMIT_EXCEEDED', message: 'later' },
  })
  at.world.texts.set('_dmarc.pass.example', 'v=DMARC1; p=none')
  const reply = await at.mail(`${REPLY}
    await reply(answer)
    await reply(answer)
    message.setReject(said.join())`)
  assert.equal(reply, '550 5.7.1 E_RATE_LIMIT_EXCEEDED,E_RATE_LIMIT_EXCEEDED')
  assert.equal((await at.lastRun()).reply, undefined)
})
