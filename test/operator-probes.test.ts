import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:https'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { acceptedMember } from '#test/accepted-member.ts'
import { dig } from '#test/dig.ts'
import { fetchAtHost } from '#test/fetch-at-host.ts'
import { developmentBrowser } from '#test/http-browser.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { operatorToken } from '#test/operator.ts'
import { submitRaw } from '#test/submit-raw.ts'

/** What an operator watches: figures, health, readiness. */
let instance: Instance

before(async () => {
  instance = await startInstance({ POSTHORN_RATE_PER_RECIPIENT: '2/h' })
})
after(async () => instance[Symbol.asyncDispose]())

const get = (path: string, token?: string) =>
  fetch(`${instance.dev.dashboard}${path}`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  })
const mail = (to: string) => ({ from: 'app@yourdomain.com', to, subject: 'figures', text: 'x' })

async function figures(): Promise<ReadonlyMap<string, number>> {
  const page = await (await get('/metrics', operatorToken(instance))).text()
  const series = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    series.map((line) => {
      const space = line.lastIndexOf(' ')
      return [line.slice(0, space), Number(line.slice(space + 1))]
    }),
  )
}

/** Asks the other doors for what is not there. */
async function knock(): Promise<void> {
  const { dns, policies, workers } = instance.dev
  await dig(dns.port, 'elsewhere.example', 'A', '+tcp')
  await fetchAtHost(workers.port, `http://nobody.example:${workers.port}/`)
  const ask = request({
    ...{ host: '127.0.0.1', port: policies.port, path: '/', agent: false },
    ...{ servername: 'nobody.example', rejectUnauthorized: false },
  })
  ask.end()
  const [response] = await once(ask, 'response')
  response.resume()
}

test('figures of what was done at each door, and of what became of it', async () => {
  await instance.send(mail('one@example.com'))
  await instance.send(mail('bounce+figures@simulator.posthorn.test'))
  await instance.send({ ...mail('x@example.com'), from: 'a@elsewhere.example' })
  const content = 'From: app@yourdomain.com\r\nTo: two@example.com\r\nSubject: s\r\n\r\nx\r\n'
  await submitRaw(instance.dev, { from: 'app@yourdomain.com', to: 'two@example.com', content })
  await instance.inbox('to:two@example.com')
  await knock()
  await sleep(100)
  const read = await figures()
  const expected = {
    'posthorn_submissions_total{door="http",result="accepted"}': 2,
    'posthorn_submissions_total{door="http",result="sender-domain-not-available"}': 1,
    'posthorn_submissions_total{door="smtp",result="accepted"}': 1,
    'posthorn_deliveries_total{outcome="delivered",cause="",mail="sent"}': 2,
    'posthorn_deliveries_total{outcome="bounced",cause="recipient-unknown",mail="sent"}': 1,
    'posthorn_mx_answers_total{command="rcpt",code="550"}': 1,
    'posthorn_queue_deliveries{state="held"}': 0,
    posthorn_worker_processes: 0,
    posthorn_verifications_pending: 0,
    'posthorn_attempt_seconds_count{outcome="bounced"}': 1,
    posthorn_notifications_dropped_total: 0,
    'posthorn_notifications_waiting{listener="webhook",state="paused"}': 0,
    'posthorn_notifications_waiting{listener="queue",state="active"}': 0,
    'posthorn_notifications_oldest_seconds{listener="webhook",state="active"}': 0,
    'posthorn_dns_answers_total{transport="tcp",answer="refused"}': 1,
    'posthorn_policy_answers_total{status="404"}': 1,
    'posthorn_workers_http_answers_total{status="4xx"}': 1,
  }
  for (const [series, value] of Object.entries(expected)) assert.equal(read.get(series), value, series)
  for (const [series, least] of Object.entries({
    posthorn_commit_seconds_count: 5,
    posthorn_commit_sets_sum: 5,
    'posthorn_connections{door="http"}': 1,
    'posthorn_certificate_expires_in_seconds{certificate="doors"}': 29 * 86_400,
    'posthorn_memory_bytes{kind="resident"}': 10_000_000,
    posthorn_cpu_seconds_total: 0.1,
  }))
    assert.ok((read.get(series) ?? -1) >= least, `${series}: ${read.get(series)}`)
  const left = read.get('posthorn_rate_left{scope="recipient"}') ?? -1
  assert.ok(left > 0.4 && left < 0.6, `one of two used: ${left}`)
  assert.ok(
    ![...read.keys()].some((series) => /example\.com|yourdomain|[0-9a-f]{32}/.test(series)),
    'no names',
  )
})

test('figures want the operator’s token, from this machine too; the account’s own is none', async () => {
  for (const token of [undefined, 'x'.repeat(40), instance.dev.api_token])
    assert.equal((await get('/metrics', token)).status, 401)
})

test('health and readiness want no token, and Host is looked at all the same', async () => {
  const health = await get('/healthz')
  assert.deepEqual([health.status, await health.text()], [200, 'ok\n'])
  const ready = await get('/readyz')
  assert.equal(ready.headers.get('cache-control'), 'no-store')
  assert.deepEqual(
    [ready.status, await ready.json()],
    [
      200,
      {
        ready: true,
        parts: ['store', 'door:submission', 'door:mx', 'projector'].map((part) => ({ part, ready: true })),
      },
    ],
  )
  const port = Number(new URL(instance.dev.dashboard).port)
  for (const path of ['/healthz', '/readyz', '/metrics'])
    assert.equal((await fetchAtHost(port, `http://rebound.example${path}`)).status, 421)
})

test('history that is far behind is a warning to the operator: mail works, so the node is ready', async () => {
  const database = new DatabaseSync(join(instance.directory, 'posthorn.sqlite'))
  database.exec(`pragma busy_timeout = 5000;
    create trigger stuck before delete on event begin select raise(abort, 'out of order'); end`)
  try {
    assert.equal((await instance.send(mail('late@example.com'))).status, 200)
    database.exec('update event set at = at - 3600000')
    // What was found a moment ago is told again.
    await sleep(2100)
    const stranger = await get('/readyz')
    assert.equal(stranger.status, 200)
    assert.doesNotMatch(await stranger.text(), /warning|behind/)
    const told = await get('/readyz', operatorToken(instance))
    assert.equal(told.status, 200)
    assert.match(
      await told.text(),
      /"part":"projector","ready":true,"warning":"history and webhooks are \d+ s behind/,
    )
    assert.match((await (await developmentBrowser(instance)).ask('GET', '/readyz')).text, /s behind/)
    const member = await acceptedMember(instance, 'member@example.com', 'member')
    assert.doesNotMatch((await member.ask('GET', '/readyz')).text, /warning|behind/)
    assert.ok(((await figures()).get('posthorn_outbox_oldest_seconds') ?? 0) >= 3600)
  } finally {
    database.exec('drop trigger stuck')
    database.close()
  }
})

test('a store that takes no writes is not ready, and says so; the process still answers', async () => {
  const database = new DatabaseSync(join(instance.directory, 'posthorn.sqlite'))
  database.exec(`pragma busy_timeout = 5000;
    create trigger broken before update on node begin select raise(abort, 'out of order'); end`)
  database.close()
  // What was found a moment ago is told again.
  await sleep(2100)
  const stranger = await get('/readyz')
  assert.equal(stranger.status, 503)
  assert.doesNotMatch(await stranger.text(), /detail/)
  const answer = await get('/readyz', operatorToken(instance))
  assert.equal(answer.status, 503)
  // The document is what the test before has shown.
  const { ready, parts } = (await answer.json()) as {
    readonly ready: boolean
    readonly parts: readonly { readonly part: string; readonly ready: boolean; readonly detail?: string }[]
  }
  assert.equal(ready, false)
  assert.deepEqual(
    parts.filter((part) => !part.ready).map(({ part }) => part),
    ['store'],
  )
  assert.match(parts[0]?.detail ?? '', /node\.beat/)
  assert.equal((await get('/healthz')).status, 200)
})
