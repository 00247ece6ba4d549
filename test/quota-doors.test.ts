import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { deployWorker } from '#test/deploy-worker.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { openEnds, openInstanceDatabase } from '#test/instance-database.ts'
import { askAccount } from '#test/operator.ts'
import { api } from '#test/routing-instance.ts'
import { startSink } from '#test/sink.ts'
import { newDatabase } from '#test/stores.ts'
import { openSubmission, submitRaw } from '#test/submit-raw.ts'

/** The same limits at each door: REST, submission and a Worker's binding. */
const SENDS = `export default { async fetch(request, env) {
  const fields = await request.json()
  try { return Response.json(await env.EMAIL.send(fields)) }
  catch ({ code, message }) { return Response.json({ code, message }) }
} }`

interface Thrown {
  readonly messageId?: string
  readonly code?: string
  readonly message?: string
}

const mail = (to: string | string[]) => ({ from: 'app@yourdomain.com', to, subject: 'quota', text: 'x' })

async function deploySender(instance: Instance): Promise<void> {
  const bindings = [{ type: 'send_email', name: 'EMAIL' }]
  await deployWorker(instance, 'sends', { metadata: { bindings }, modules: { 'index.js': SENDS } })
  const script = `/accounts/${instance.dev.account_id}/workers/scripts/sends`
  await api(instance, 'POST', `${script}/subdomain`, { enabled: true })
}

/** Undefined where the Worker could not be asked. */
async function sendByWorker(instance: Instance, to: string | string[]): Promise<Thrown | undefined> {
  const { status, text } = await instance.askWorker('sends', '/', { body: JSON.stringify(mail(to)) })
  return status === 200 ? JSON.parse(text) : undefined
}

function sendBySmtp(instance: Instance, to: string): Promise<string> {
  const content = `From: app@yourdomain.com\r\nTo: ${to}\r\nSubject: quota\r\n\r\nx\r\n`
  return submitRaw(instance.dev, { from: 'app@yourdomain.com', to, content })
}

async function used(instance: Instance): Promise<number> {
  const { result } = await askAccount<{ usage: { sent: number } }>(instance, 'GET', '/limits')
  return result.usage.sent
}

test('a Worker hears which limit it met, as REST and submission do, and nothing of it is sent', async () => {
  await using sink = await startSink()
  await using instance = await startInstance({
    POSTHORN_DEV_SINK: `127.0.0.1:${sink.port}`,
    POSTHORN_DAILY_QUOTA_START: '4',
    POSTHORN_RATE_PER_RECIPIENT: '2/d',
  })
  await deploySender(instance)
  const send = async (to: string | string[]) => (await sendByWorker(instance, to)) ?? assert.fail()

  for (const _ of ['once', 'twice']) assert.match((await send('often@example.com')).messageId ?? '', /^</)
  const often = await send(['often@example.com', 'other@example.com'])
  assert.equal(often.code, 'E_RATE_LIMIT_EXCEEDED')
  assert.match(often.message ?? '', /write to often@example\.com 2 times in a day/)
  assert.match(await sendBySmtp(instance, 'often@example.com'), /^451 4\.7\.1 .*2 times in a day/)
  const { status, headers, body } = await instance.send(mail('often@example.com'))
  assert.deepEqual([status, body.errors[0]?.error_chain?.[0]?.name], [429, 'E_RATE_LIMIT_EXCEEDED'])
  assert.match(headers.get('retry-after') ?? '', /^[1-9]\d*$/)

  const three = ['a@example.com', 'b@example.com', 'c@example.com']
  const tooMany = await send(three)
  assert.equal(tooMany.code, 'E_DAILY_LIMIT_EXCEEDED')
  assert.match(tooMany.message ?? '', /4 recipients a day and has sent to 2.*3 that count/)
  assert.match((await send(three.slice(1))).messageId ?? '', /^</)
  assert.equal((await send('a@example.com')).code, 'E_DAILY_LIMIT_EXCEEDED')
  assert.match(await sendBySmtp(instance, 'a@example.com'), /^452 4\.7\.1 .*4 recipients a day/)
  const full = await instance.send(mail('a@example.com'))
  assert.deepEqual(
    [full.status, full.body.errors[0]?.error_chain?.[0]?.name],
    [429, 'E_DAILY_LIMIT_EXCEEDED'],
  )
  assert.match(full.headers.get('retry-after') ?? '', /^[1-9]\d*$/)
  assert.equal(await used(instance), 4)
  assert.deepEqual(Object.fromEntries(sink.taken), {
    ...{ 'often@example.com': 2, 'b@example.com': 1, 'c@example.com': 1 },
  })
})

const LIMIT = 300
const SENDERS = 50
/** More with `KILLS=50 npm test`. */
const KILLS = Number(process.env['KILLS'] ?? 2)

interface Ledger {
  serial: number
  /** Recipients that were promised, and those whose answer never came. */
  readonly promised: Set<string>
  readonly unknown: Set<string>
  refused: number
}

/** What a door says of one message more: 'again' is about this moment. */
type Answered = 'promised' | 'refused' | 'again'

async function byRest(instance: Instance, to: string): Promise<Answered> {
  const { status } = await instance.send(mail(to))
  assert.ok(status === 200 || status === 429, String(status))
  return status === 200 ? 'promised' : 'refused'
}

async function byWorker(instance: Instance, to: string): Promise<Answered> {
  const answer = await sendByWorker(instance, to)
  if (!answer) throw new Error('the Worker is not there')
  if (answer.code === 'E_RATE_LIMIT_EXCEEDED') return 'again'
  assert.ok(answer.messageId !== undefined || answer.code === 'E_DAILY_LIMIT_EXCEEDED', String(answer.code))
  return answer.messageId === undefined ? 'refused' : 'promised'
}

async function bySmtp(instance: Instance, to: string): Promise<Answered> {
  // A session of its own: fifty of them at once are asked for a daily limit.
  using session = await openSubmission(instance.dev)
  const content = `From: app@yourdomain.com\r\nTo: ${to}\r\nSubject: quota\r\n\r\nx\r\n`
  const reply = await session.submit({ from: 'app@yourdomain.com', to, content })
  assert.match(reply, /^(?:250 2\.0\.0 Ok|452 4\.7\.1 )/)
  return reply.startsWith('250') ? 'promised' : 'refused'
}

const DOORS = [byRest, bySmtp, byRest, bySmtp, byWorker]

/** One message after the other, until there is no room or the instance is gone. */
async function keepSending(
  instance: Instance,
  door: (typeof DOORS)[number],
  ledger: Ledger,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const to = `to-${ledger.serial++}@example.com`
    try {
      const answered = await door(instance, to)
      if (answered === 'promised') ledger.promised.add(to)
      if (answered === 'refused') {
        ledger.refused++
        return
      }
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error
      ledger.unknown.add(to)
      if (signal.aborted) return
    }
  }
}

for (const engine of ['sqlite', 'postgres'] as const) {
  test(`${SENDERS} senders at all doors and ${KILLS} kills: the day's limit is met to the last recipient (${engine})`, {
    timeout: 20 * 60_000,
  }, async (t) => {
    const url = engine === 'postgres' ? await newDatabase() : undefined
    await using sink = await startSink()
    await using instance = await startInstance({
      POSTHORN_DEV_SINK: `127.0.0.1:${sink.port}`,
      POSTHORN_DAILY_QUOTA_START: String(LIMIT),
      POSTHORN_SEND_WAIT_MS: '0',
      ...(url !== undefined && { POSTHORN_DATABASE_URL: url }),
    })
    await using database = await openInstanceDatabase(instance, url)
    await deploySender(instance)
    const ledger: Ledger = { serial: 0, promised: new Set(), unknown: new Set(), refused: 0 }
    for (let kill = 0; kill <= KILLS; kill++) {
      const stop = new AbortController()
      const senders = Array.from({ length: SENDERS }, (_, index) =>
        keepSending(instance, DOORS[index % DOORS.length] ?? byRest, ledger, stop.signal),
      )
      if (kill < KILLS) {
        // While there is room, however fast they are.
        const mark = ledger.promised.size + randomInt(1, LIMIT / (KILLS + 1))
        for (const end = Date.now() + 5000; ledger.promised.size < mark && Date.now() < end; ) await sleep(1)
        stop.abort()
        await instance.kill()
      }
      await Promise.all(senders)
      if (kill < KILLS) {
        if (engine === 'postgres') await database.run('update node set heartbeat_at = heartbeat_at - 60000')
        await instance.restart()
      }
      const count = await used(instance)
      const { promised, unknown } = ledger
      assert.ok(
        count <= LIMIT && count >= promised.size,
        `${count} were counted of ${promised.size} promised`,
      )
      assert.ok(count <= promised.size + unknown.size, `${count} of ${promised.size} + ${unknown.size}`)
    }
    const { promised, unknown, refused, serial } = ledger
    t.diagnostic(`${serial} tried, ${promised.size} promised, ${unknown.size} without an answer`)
    assert.ok(refused >= SENDERS, 'each ended with a refusal')
    assert.equal(await used(instance), LIMIT, 'all of it was used')

    // What was counted was sent, and nothing else: each that was promised, and of the others as many as there was room for.
    for (const end = Date.now() + 60_000; Date.now() < end && (await openEnds(database)).deliveries > 0; )
      await sleep(50)
    assert.deepEqual(
      [...promised].filter((to) => !sink.taken.has(to)),
      [],
    )
    const others = [...sink.taken.keys()].filter((to) => !promised.has(to))
    assert.deepEqual(
      others.filter((to) => !unknown.has(to)),
      [],
    )
    assert.equal(sink.taken.size, LIMIT)
  })
}
