import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startFaultPeer } from '#test/fault-peer.ts'
import { LINE, manyAt, openFaultRun } from '#test/fault-run.ts'
import { deliveriesIn, until } from '#test/outbound.ts'
import { openTestStore } from '#test/stores.ts'
import { openTestAuthority } from '#test/test-authority.ts'

/** What the events of attempts tell: what was said, over which TLS, for how long; never contents or credentials, and
 *  never more than a bounded amount. */

test('each attempt tells its dialogue, its TLS and its time, and nothing of the content', async (t) => {
  await using open = await openTestStore('sqlite')
  const authority = await openTestAuthority()
  const later = new Set<string>()
  const peer = await startFaultPeer(
    t,
    (moment, { to }) => {
      if (moment === 'RCPT' && to.startsWith('u1@')) return '550 5.1.1 Nobody here'
      if (moment !== '.' || later.has(to)) return undefined
      later.add(to)
      return `451-4.3.0 Not now\r\n451 4.3.0 ${to}`
    },
    { tls: await authority.issue(['mx.tell.example']) },
  )
  await using run = await openFaultRun(open, {
    peers: { 'tell.example': peer.port },
    ca: authority.certificate,
    policies: {
      policyFor: async () => ({ kind: 'sts', mode: 'enforce', mx: ['mx.tell.example'], id: '1' }),
    },
  })
  await run.promise(manyAt('tell.example'))
  await run.drained()
  const tally = await run.judge([peer])
  assert.deepEqual([tally.delivered, tally.bounced, tally.attempts.length], [499, 1, 999])
  for (const { type, deliveryId, detail } of tally.attempts) {
    const dialogue = linesOf(detail)
    const said = dialogue.join('\n')
    assert.match(said, new RegExp(`^c: MAIL FROM:<${deliveryId}@cf-bounce\\.yourdomain\\.com>`, 'm'))
    assert.match(said, new RegExp(`^c: RCPT TO:<${String(detail['recipient'])}>`, 'm'))
    assert.equal(dialogue.filter((line) => line.startsWith('c: MAIL')).length, 1, 'one transaction each')
    assert.ok(!said.includes(LINE.slice(5)) && !said.includes('X-Fault-Id'))
    if (type === 'delivered') assert.match(dialogue.at(-1) ?? '', /^s: 250 2\.0\.0 Taken/)
    if (type === 'deferred') assert.match(said, /^s: 451-4\.3\.0 Not now\ns: 451 4\.3\.0 u/m)
    assert.match(String(detail['tls']), /^TLSv1\.3 TLS_/)
    assert.deepEqual([detail['tlsPolicy'], detail['tlsFailure']], ['sts-enforce', undefined])
    assert.ok(Number.isInteger(detail['durationMs']) && Number(detail['durationMs']) >= 0)
  }
  const [first] = tally.attempts
  assert.match(linesOf(first?.detail).join('\n'), /^s: 220 .*\nc: EHLO .*[^]*^c: STARTTLS/m)
})

test('what a host says without end is told of in part', async (t) => {
  await using open = await openTestStore('sqlite')
  const words = 'words without end '.repeat(25)
  const many = (code: number) =>
    Array.from({ length: 100 }, (_, i) => `${code}${i === 99 ? ' ' : '-'}${words}`).join('\r\n')
  const peer = await startFaultPeer(t, (moment) => {
    if (moment === 'RCPT') return many(451)
    return moment === 'EHLO' ? many(250) : undefined
  })
  await using run = await openFaultRun(open, { peers: { 'much.example': peer.port }, retryMs: [60_000] })
  await run.promise(manyAt('much.example'))
  await until('all wait', async () =>
    (await deliveriesIn(open.store)).every(({ attempts }) => attempts === 1),
  )
  const tally = await run.judge([])
  assert.equal(tally.attempts.length, 500)
  for (const { detail } of tally.attempts) {
    const dialogue = linesOf(detail)
    assert.ok(dialogue.length <= 60, `${dialogue.length} lines`)
    assert.ok(JSON.stringify(detail).length < 40_000)
    assert.ok(String(detail['smtpReply']).length <= 1000)
  }
})

test('credentials of a smarthost are in no event, whatever the smarthost repeats', async (t) => {
  await using open = await openTestStore('sqlite')
  const password = 'correct-horse-battery-staple'
  const encoded = Buffer.from(`\0user\0${password}`).toString('base64')
  let refusing = true
  const peer = await startFaultPeer(t, (moment) => {
    if (moment === 'EHLO') return '250-relay\r\n250 AUTH PLAIN'
    return moment === 'AUTH' && refusing ? `535 5.7.8 Not ${encoded}, ${password}` : undefined
  })
  const smarthost = { id: '1', host: '127.0.0.1', port: peer.port, tls: 'none', trusted: true } as const
  await using run = await openFaultRun(open, {
    smarthostFor: async () => ({ ...smarthost, login: { username: 'user', password } }),
  })
  await run.promise(manyAt('any.example'))
  await until('a refusal', async () => (await deliveriesIn(open.store)).some(({ attempts }) => attempts > 0))
  refusing = false
  await run.drained()
  const tally = await run.judge([peer])
  assert.equal(tally.delivered, 500)
  const told = JSON.stringify(tally.attempts)
  assert.ok(told.includes('AUTH PLAIN (credentials)'))
  assert.ok(!told.includes(password) && !told.includes(encoded) && !told.includes(encoded.slice(0, 12)))
})

function linesOf(detail: Record<string, unknown> | undefined): string[] {
  const dialogue = detail?.['dialogue']
  assert.ok(Array.isArray(dialogue))
  return dialogue.map((line) => {
    assert.match(String(line), /^[cs]: /)
    return String(line)
  })
}
