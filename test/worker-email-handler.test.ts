import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { type Arrived, arrived, emptyInbox, theOneArrived } from '#test/arrived.ts'
import { createNamespace, deployExample } from '#test/example-worker.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { kvOf } from '#test/kv-of.ts'
import { api, eventsOf, SENDER, toMx, verifiedAddress } from '#test/routing-instance.ts'
import { spfSender } from '#test/spf-sender.ts'
import { openWrangler, type Wrangler } from '#test/wrangler.ts'

/** The Workers of routing-workers-api-email-handler.md as they are published: mail comes in over SMTP, and what becomes
 *  of it is in the answer, in the inbox, in the events and in KV. Those that reply are in worker-replies.test.ts. */
let instance: Instance
let wrangler: Wrangler
let errors: ReturnType<typeof kvOf>

const opened = new AsyncDisposableStack()
after(() => opened.disposeAsync())

const DESTINATIONS = [
  ...['destination', 'team', 'support-team', 'sales-team', 'urgent', 'general', 'security', 'ciso'],
  ...['processed', 'inbox', 'sales'],
].map((name) => `${name}@example.com`)

/** Not an address of the account when the tests begin. */
const ADMIN = 'admin@example.com'

/** What each Worker gets, below yourdomain.com. */
const WORKERS: Readonly<Record<string, readonly string[]>> = {
  syntax: ['syntax'],
  'basic-properties': ['basic-properties'],
  'parse-email-content': ['parse-email-content'],
  'simple-forwarding': ['simple-forwarding'],
  'conditional-forwarding': ['support', 'sales', 'anything'],
  'multiple-forwarding': ['multiple-forwarding'],
  'forward-with-custom-headers': ['Custom-Headers'],
  'simple-rejection': ['simple-rejection'],
  'content-based-rejection': ['content-based-rejection'],
  'error-handling': ['error-handling', 'handling-support', 'handling-sales'],
}

before(async () => {
  instance = opened.use(await startInstance())
  wrangler = opened.use(await openWrangler(instance))
  for (const destination of DESTINATIONS) await verifiedAddress(instance, destination)
  const id = await createNamespace(wrangler, 'ERROR_LOGS')
  errors = kvOf(instance, id)
  for (const [name, addresses] of Object.entries(WORKERS)) {
    await deployExample(wrangler, {
      ...{ name, source: `routing-workers-api-email-handler/${name}.ts` },
      config: {
        addresses: addresses.map((local) => `${local}@yourdomain.com`),
        ...(name === 'error-handling' && { kv_namespaces: [{ binding: 'ERROR_LOGS', id }] }),
      },
    })
  }
})
beforeEach(() => emptyInbox(instance))

interface Mail {
  readonly to: string
  readonly subject: string
  readonly from?: string
  readonly more?: string
}

function letter({ to, subject, from = SENDER, more = 'Hello' }: Mail): string {
  return [
    ...[`From: Someone <${from}>`, `To: ${to}@yourdomain.com`, `Subject: ${subject}`],
    ...['Message-ID: <17@pass.posthorn.test>', 'Date: Sat, 21 Nov 2026 10:00:00 +0000', '', more, '.dot', ''],
  ].join('\r\n')
}

/** The answer at the end of DATA. */
const write = (mail: Mail): Promise<string> =>
  toMx(instance, {
    to: `${mail.to}@yourdomain.com`,
    content: letter(mail),
    ...(mail.from !== undefined && { from: mail.from }),
  })

const TAKEN = '250 2.0.0 Ok'

/** Ends of its handler, and what its forwards became. */
const eventsFor = (to: string) => eventsOf(instance, `${to}@yourdomain.com`)

/** As it came, below what forwarding puts in front. */
function checkForwarded(copy: Arrived | undefined, to: string, mail: Mail): void {
  assert.equal(copy?.to, to)
  assert.ok(copy.raw.toString().endsWith(letter(mail)), 'octet for octet')
  assert.match(copy.returnPath, /^SRS0=.*=pass\.posthorn\.test=someone@email\.posthorn\.test$/)
}

test('syntax: the first Worker of the page forwards, and its message is shown as handled', async () => {
  const mail = { to: 'syntax', subject: 'The first' }
  assert.equal(await write(mail), TAKEN)
  checkForwarded(await theOneArrived(instance), 'destination@example.com', mail)
  assert.deepEqual(
    eventsFor('syntax').map(({ type }) => type),
    ['delivered', 'handled'],
  )
  const routed = eventsFor('syntax').map(({ detail }) => detail.routed)
  const [rule] = await api<{ id: string }[]>(
    instance,
    'GET',
    `/zones/${instance.dev.zone_id}/email/routing/rules?per_page=1`,
  )
  assert.ok(rule)
  for (const one of routed) {
    assert.deepEqual([one?.action, one?.ruleId, one?.spf, one?.dmarc], ['worker', rule.id, 'pass', 'pass'])
  }
  const run = routed[1]?.worker
  assert.deepEqual([run?.scriptName, run?.outcome], ['syntax', 'handled'])
  assert.deepEqual(
    run?.forwards.map(({ destination }) => destination),
    ['destination@example.com'],
  )
})

test('basic properties: what does nothing with a message has handled it', async () => {
  assert.equal(await write({ to: 'basic-properties', subject: 'Looked at' }), TAKEN)
  const [event, ...others] = eventsFor('basic-properties')
  assert.deepEqual([event?.type, others], ['handled', []])
  assert.deepEqual(event?.detail.routed?.worker, {
    ...{ scriptName: 'basic-properties', outcome: 'handled', forwards: [] },
  })
  await arrived(instance, 0)
  const mail = { to: 'basic-properties', subject: 'Looked at' }
  assert.deepEqual(await linesLogged('basic-properties', mail), [
    ...[`From: ${SENDER}`, 'To: basic-properties@yourdomain.com', `Size: ${letter(mail).length} bytes`],
    ...['Subject: Looked at', 'Date: Sat, 21 Nov 2026 10:00:00 +0000'],
    'Message-ID: <17@pass.posthorn.test>',
  ])
})

test('parse email content: postal-mime reads the raw message', async () => {
  const mail = { to: 'parse-email-content', subject: '=?utf-8?q?Gr=C3=BC=C3=9Fe?=' }
  assert.equal(await write(mail), TAKEN)
  assert.deepEqual(
    eventsFor('parse-email-content').map(({ type }) => type),
    ['handled'],
  )
  assert.deepEqual(await linesLogged('parse-email-content', mail), [
    ...['Subject: Grüße', 'Text: Hello\n.dot\n', 'HTML: undefined'],
  ])
})

/** What a Worker writes to its console about a message, which is brought to it by hand. */
async function linesLogged(name: string, mail: Mail): Promise<string[]> {
  const path = `/cdn-cgi/handler/email?from=${SENDER}&to=${mail.to}@yourdomain.com&format=json`
  const { text } = await instance.askWorker(name, path, { body: letter(mail) })
  const { outcome, logs }: { outcome: string; logs: { message: string[] }[] } = JSON.parse(text)
  assert.equal(outcome, 'ok')
  return logs.map(({ message }) => message.join(' '))
}

test('simple forwarding', async () => {
  const mail = { to: 'simple-forwarding', subject: 'For the team' }
  assert.equal(await write(mail), TAKEN)
  checkForwarded(await theOneArrived(instance), 'team@example.com', mail)
})

test('conditional forwarding: by recipient, by subject, or else', async () => {
  const ways: readonly [mail: Mail, destination: string][] = [
    [{ to: 'support', subject: 'Help, urgent' }, 'support-team@example.com'],
    [{ to: 'sales', subject: 'An offer' }, 'sales-team@example.com'],
    [{ to: 'anything', subject: 'This is URGENT' }, 'urgent@example.com'],
    [{ to: 'anything', subject: 'Hello' }, 'general@example.com'],
  ]
  for (const [mail, destination] of ways) {
    assert.equal(await write(mail), TAKEN)
    checkForwarded(await theOneArrived(instance), destination, mail)
    await emptyInbox(instance)
  }
})

test('multiple forwarding: three copies of one message, each with its event', async () => {
  const mail = { to: 'multiple-forwarding', subject: 'A security hole' }
  await verifiedAddress(instance, ADMIN)
  // The mail that asks for it to be verified.
  await arrived(instance, 1)
  await emptyInbox(instance)
  assert.equal(await write(mail), TAKEN)
  const copies = await arrived(instance, 3)
  const everybody = ['admin@example.com', 'ciso@example.com', 'security@example.com']
  for (const [i, to] of everybody.entries()) checkForwarded(copies[i], to, mail)
  const events = eventsFor('multiple-forwarding')
  assert.deepEqual(
    events.map(({ type }) => type),
    ['delivered', 'delivered', 'delivered', 'handled'],
  )
  assert.deepEqual(
    events
      .at(-1)
      ?.detail.routed?.worker?.forwards.map(({ destination }) => destination)
      .toSorted(),
    everybody,
  )
  await emptyInbox(instance)
  assert.equal(await write({ ...mail, subject: 'Nothing' }), TAKEN)
  assert.equal((await theOneArrived(instance)).to, 'general@example.com')
})

test('forward with custom headers: they stand before the message, in the words of the Worker', async () => {
  const mail = { to: 'Custom-Headers', subject: 'Marked' }
  assert.equal(await write(mail), TAKEN)
  const copy = await theOneArrived(instance)
  checkForwarded(copy, 'processed@example.com', mail)
  const added = new Map(copy.mail.headers.map(({ key, value }) => [key, value]))
  assert.equal(added.get('x-processed-by'), 'Email-Worker')
  assert.ok(Math.abs(Date.parse(added.get('x-processing-time') ?? '') - Date.now()) < 60_000)
  assert.equal(added.get('x-original-recipient'), 'Custom-Headers@yourdomain.com')
  assert.equal(added.get('x-spam-score'), '0.1')
})

test('simple rejection: by the domain of the envelope sender', async () => {
  // Who is not who they say is refused before a Worker is asked.
  await spfSender(instance, 'spam.com')
  const spam = { to: 'simple-rejection', subject: 'Hello', from: 'someone@spam.com' }
  assert.equal(await write(spam), '550 5.7.1 Sender domain not allowed')
  const [event, ...others] = eventsFor('simple-rejection')
  assert.deepEqual([event?.type, others], ['rejected', []])
  const { reason, worker } = event?.detail.routed ?? {}
  assert.deepEqual([reason, worker?.outcome], ['Sender domain not allowed', 'rejected'])
  await arrived(instance, 0)
  const mail = { to: 'simple-rejection', subject: 'Hello' }
  assert.equal(await write(mail), TAKEN)
  checkForwarded(await theOneArrived(instance), 'inbox@example.com', mail)
})

test('content-based rejection: by the subject, and by size', async () => {
  const to = 'content-based-rejection'
  assert.equal(await write({ to, subject: 'Buy NOW' }), '550 5.7.1 Message appears to be spam')
  const mebibytes = (count: number) => `${'x'.repeat(62)}\r\n`.repeat(count * 2 ** 14)
  // The door has the same limit as the Worker.
  assert.match(await write({ to, subject: 'Too large', more: mebibytes(25) }), /^552 5\.3\.4 /)
  await arrived(instance, 0)
  const mail = { to, subject: 'A book', more: mebibytes(8) }
  assert.equal(await write(mail), TAKEN)
  checkForwarded(await theOneArrived(instance), 'inbox@example.com', mail)
})

test('error handling: what fails is written down, then the next way is tried, and the last is a rejection', async () => {
  const mail = { to: 'handling-sales', subject: 'An offer' }
  assert.equal(await write(mail), TAKEN)
  checkForwarded(await theOneArrived(instance), 'sales@example.com', mail)
  assert.deepEqual(await errors.keys(), [])
  await emptyInbox(instance)

  // Nobody verified support@example.com.
  const lost = { to: 'handling-support', subject: 'Help' }
  assert.equal(await write(lost), TAKEN)
  checkForwarded(await theOneArrived(instance), ADMIN, lost)
  const [key, ...others] = await errors.keys()
  assert.deepEqual(others, [])
  assert.match(key?.name ?? '', /^error-\d+$/)
  const kept: Record<string, string> = JSON.parse((await errors.value(key?.name ?? '')) ?? '')
  assert.match(kept['error'] ?? '', /support@example\.com is no verified destination address/)
  assert.match(kept['stack'] ?? '', /processEmail/)
  assert.deepEqual([kept['from'], kept['to']], [SENDER, 'handling-support@yourdomain.com'])

  await emptyInbox(instance)
  await unverify(ADMIN)
  assert.equal(await write(lost), '550 5.7.1 Internal processing error')
  await arrived(instance, 0)
})

/** Takes a destination away. */
async function unverify(email: string): Promise<void> {
  const path = `/accounts/${instance.dev.account_id}/email/routing/addresses`
  const all = await api<{ id: string; email: string }[]>(instance, 'GET', `${path}?per_page=50`)
  const found = all.find((address) => address.email === email)
  assert.ok(found)
  await api(instance, 'DELETE', `${path}/${found.id}`)
}

test('the Python Worker of the page is refused by name', async () => {
  writeFileSync(
    join(wrangler.folder, 'entry.py'),
    `from workers import WorkerEntrypoint

class Default(WorkerEntrypoint):
    async def email(self, message, env, ctx):
        await message.forward("destination@example.com")
`,
  )
  const python = {
    ...{ name: 'python', main: 'entry.py', compatibility_date: '2026-06-30' },
    compatibility_flags: ['python_workers'],
  }
  writeFileSync(join(wrangler.folder, 'wrangler.json'), JSON.stringify(python))
  assert.match(await wrangler.refuses('deploy'), /Python/)
})

test('nothing of it went anywhere else', () => assert.equal(wrangler.strayConnections(), 0))
