import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { GuardedFetch } from '#net/guarded-fetch.ts'
import type { Lookup } from '#net/resolver.ts'
import { openLog } from '#observe/log.ts'
import type { Store } from '#store/store.ts'
import { startPolicyServer } from '#test/policy-server.ts'
import { until } from '#test/smtp-server.ts'
import { onBothEngines, openTestStore } from '#test/stores.ts'
import { openTestAuthority, type TestAuthority } from '#test/test-authority.ts'
import { type OpenTlsPolicies, openTlsPolicies } from './open-tls-policies.ts'

const DOMAIN = 'to.example'
const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const OPPORTUNISTIC = { kind: 'opportunistic' }

let authority: Promise<TestAuthority> | undefined
const theAuthority = () => (authority ??= openTestAuthority())

interface Terms {
  readonly mode?: string
  readonly mx?: string
  readonly maxAgeSeconds?: number
}

const policyText = ({ mode = 'enforce', mx = 'mx1.to.example', maxAgeSeconds = 7 * 86_400 }: Terms = {}) =>
  `version: STSv1\r\nmode: ${mode}\r\nmx: ${mx}\r\nmax_age: ${maxAgeSeconds}\r\n`

const sts = (id: string, { mode = 'enforce', mx = 'mx1.to.example' }: Terms = {}) => ({
  kind: 'sts',
  mode,
  mx: [mx],
  id,
})

/** A domain whose DNS and policy server do as they are told, and a clock. */
async function world(t: TestContext, store: Store) {
  const server = await startPolicyServer(t, await theAuthority(), { domain: DOMAIN })
  const lines: Record<string, unknown>[] = []
  const log = openLog(
    'debug',
    new Writable({
      write(chunk: Buffer, _, done) {
        lines.push(JSON.parse(chunk.toString()))
        done()
      },
    }),
  )
  const state = { now: 1_800_000_000_000, txt: { kind: 'no-such-name' } as Lookup<string>, asked: 0 }
  const open = (
    overrides: { store?: Store; fetch?: GuardedFetch; patienceMs?: number } = {},
  ): OpenTlsPolicies => {
    const policies = openTlsPolicies({
      store,
      resolver: {
        txt: async (name) => {
          assert.equal(name, `_mta-sts.${DOMAIN}`)
          state.asked += 1
          return state.txt
        },
      },
      fetch: server.fetch,
      log,
      now: () => state.now,
      ...overrides,
    })
    t.after(() => policies.close())
    return policies
  }
  return {
    server,
    state,
    open,
    announce: (id: string) => {
      state.txt = { kind: 'found', records: ['v=spf1 -all', `v=STSv1; id=${id};`] }
    },
    publish: (terms: Terms = {}) => {
      server.answer = { body: policyText(terms) }
    },
    pass: (ms: number) => {
      state.now += ms
    },
    warnings: () => lines.filter(({ level }) => level === 40).map(({ detail }) => detail),
    errors: () => lines.filter(({ level }) => level === 50),
  }
}

type World = Awaited<ReturnType<typeof world>>

/** Registers the test with a world on SQLite. */
function inWorld(name: string, run: (w: World, t: TestContext) => Promise<void>): void {
  test(name, async (t) => {
    await using open = await openTestStore('sqlite')
    await run(await world(t, open.store), t)
  })
}

onBothEngines('a policy is fetched once, and is known after a restart without the web', async (t, open) => {
  const w = await world(t, open.store)
  w.announce('a1')
  w.publish()
  const first = w.open()
  const answers = await Promise.all(
    ['to.example', 'TO.example', 'to.example'].map((domain) => first.policyFor(domain)),
  )
  assert.deepEqual(answers, [sts('a1'), sts('a1'), sts('a1')])
  assert.deepEqual(w.server.requests, ['mta-sts.to.example /.well-known/mta-sts.txt'])
  assert.equal(w.state.asked, 1)
  await first.close()

  await w.server.close()
  w.state.txt = { kind: 'temporary-failure', detail: 'ESERVFAIL' }
  const second = w.open({ store: await open.reopen() })
  assert.deepEqual(await second.policyFor(DOMAIN), sts('a1'))
  w.pass(7 * DAY_MS - 1)
  assert.deepEqual(await second.policyFor(DOMAIN), sts('a1'))
  w.pass(1)
  assert.deepEqual(await second.policyFor(DOMAIN), OPPORTUNISTIC)
  await second.refresh()
})

inWorld('RFC 8461 §5.1: a cached policy outlives its record and its server, until max_age', async (w) => {
  w.announce('a1')
  w.publish({ maxAgeSeconds: 86_400 })
  const policies = w.open()
  assert.deepEqual(await policies.policyFor(DOMAIN), sts('a1'))
  const troubles: (() => void)[] = [
    () => (w.state.txt = { kind: 'no-such-name' }),
    () => (w.state.txt = { kind: 'no-data' }),
    () => (w.state.txt = { kind: 'temporary-failure', detail: 'ETIMEOUT' }),
    () => (w.state.txt = { kind: 'found', records: ['v=STSv1; id=b', 'v=STSv1; id=c'] }),
    () => w.announce('a2'),
  ]
  const answers: NonNullable<typeof w.server.answer>[] = [
    { status: 404, body: policyText({ mode: 'none' }) },
    { status: 302, body: policyText({ mode: 'none' }) },
    { status: 206, body: policyText({ mode: 'none' }) },
    { type: 'text/html', body: policyText({ mode: 'none' }) },
    { body: 'nonsense' },
    { body: `${policyText({ mode: 'none' })}${'x'.repeat(65_536)}` },
  ]
  for (const trouble of troubles) {
    trouble()
    for (const answer of answers) {
      w.pass(5 * MINUTE_MS)
      w.server.answer = answer
      assert.deepEqual(await policies.policyFor(DOMAIN), sts('a1'))
    }
  }
  assert.equal(w.server.requests.length, 1 + answers.length)
  assert.equal(w.warnings().length, troubles.length * answers.length)
  w.pass(DAY_MS)
  assert.deepEqual(await policies.policyFor(DOMAIN), OPPORTUNISTIC)
})

inWorld('a new id brings the new policy, within five minutes', async (w) => {
  w.announce('a1')
  w.publish()
  const policies = w.open()
  assert.deepEqual(await policies.policyFor(DOMAIN), sts('a1'))
  w.announce('a2')
  w.publish({ mode: 'testing', mx: '*.mx.to.example' })
  w.pass(5 * MINUTE_MS - 1)
  assert.deepEqual(await policies.policyFor(DOMAIN), sts('a1'))
  w.pass(1)
  assert.deepEqual(await policies.policyFor(DOMAIN), sts('a2', { mode: 'testing', mx: '*.mx.to.example' }))
  w.pass(5 * MINUTE_MS)
  await policies.policyFor(DOMAIN)
  assert.equal(w.server.requests.length, 2, 'the same id is not fetched again')
})

inWorld('RFC 8461 §8.3: a policy is removed by one of mode none, also after a restart', async (w) => {
  w.announce('a1')
  w.publish()
  const policies = w.open()
  await policies.policyFor(DOMAIN)
  w.announce('a2')
  w.server.answer = { body: 'version: STSv1\nmode: none\nmax_age: 86400\n' }
  w.pass(5 * MINUTE_MS)
  assert.deepEqual(await policies.policyFor(DOMAIN), OPPORTUNISTIC)
  await policies.close()
  assert.deepEqual(await w.open().policyFor(DOMAIN), OPPORTUNISTIC)
  assert.deepEqual(w.warnings(), [])
})

inWorld('that there is no record is believed for an hour, and costs no request', async (w) => {
  w.publish()
  const policies = w.open()
  assert.deepEqual(await policies.policyFor(DOMAIN), OPPORTUNISTIC)
  w.announce('a1')
  w.pass(60 * MINUTE_MS - 1)
  assert.deepEqual(await policies.policyFor(DOMAIN), OPPORTUNISTIC)
  assert.deepEqual([w.state.asked, w.server.requests.length], [1, 0])
  w.pass(1)
  assert.deepEqual(await policies.policyFor(DOMAIN), sts('a1'))
  assert.deepEqual(w.warnings(), [])
})

inWorld('RFC 8461 §3.3: after a failure the policy server has five minutes of rest', async (w) => {
  w.announce('a1')
  const policies = w.open()
  for (const passed of [0, 1, 5 * MINUTE_MS - 2]) {
    w.pass(passed)
    assert.deepEqual(await policies.policyFor(DOMAIN), OPPORTUNISTIC)
  }
  assert.equal(w.server.requests.length, 1)
  w.publish()
  w.pass(1)
  assert.deepEqual(await policies.policyFor(DOMAIN), sts('a1'))
})

inWorld('a policy server without a certificate for its name has no policy', async (w, t) => {
  w.announce('a1')
  const names = ['to.example', '*.mta-sts.to.example']
  const impostor = await startPolicyServer(t, await theAuthority(), { domain: DOMAIN, names })
  impostor.answer = { body: policyText() }
  assert.deepEqual(await w.open({ fetch: impostor.fetch }).policyFor(DOMAIN), OPPORTUNISTIC)
  assert.deepEqual(impostor.requests, [])
})

inWorld(
  'RFC 8461 §5.1: a delivery does not wait for long, and what comes late counts from then on',
  async (w) => {
    w.announce('a1')
    w.publish()
    const gate = Promise.withResolvers<void>()
    const fetch: GuardedFetch = async (url, request) => {
      await gate.promise
      return w.server.fetch(url, request)
    }
    const policies = w.open({ fetch, patienceMs: 20 })
    assert.deepEqual(await policies.policyFor(DOMAIN), OPPORTUNISTIC)
    assert.deepEqual(await policies.policyFor(DOMAIN), OPPORTUNISTIC)
    gate.resolve()
    while ((await policies.policyFor(DOMAIN)).kind === 'opportunistic') await sleep(5)
    assert.deepEqual([w.state.asked, w.server.requests.length], [1, 1])
  },
)

inWorld('a policy server that keeps silent takes nothing from the policy that is kept', async (w) => {
  w.announce('a1')
  w.publish()
  const first = w.open()
  assert.deepEqual(await first.policyFor(DOMAIN), sts('a1'))
  await first.close()
  w.announce('a2')
  w.server.answer = undefined
  assert.deepEqual(await w.open({ patienceMs: 20 }).policyFor(DOMAIN), sts('a1'))
  await until(() => w.server.requests.length === 2)
})

inWorld('a policy in use is renewed when half its life is over, without a delivery', async (w) => {
  w.announce('a1')
  w.publish({ maxAgeSeconds: 86_400 })
  const policies = w.open()
  await policies.policyFor(DOMAIN)
  w.pass(DAY_MS / 2 - 1)
  await policies.refresh()
  assert.equal(w.server.requests.length, 1)
  w.pass(1)
  await policies.refresh()
  assert.equal(w.server.requests.length, 2)
  await w.server.close()
  w.pass(DAY_MS - 1)
  await policies.refresh()
  await policies.refresh()
  assert.equal(w.warnings().length, 1, 'a server that failed has its five minutes of rest')
  assert.deepEqual(await policies.policyFor(DOMAIN), sts('a1'))
  w.pass(1)
  assert.deepEqual(await policies.policyFor(DOMAIN), OPPORTUNISTIC)
})

inWorld('one that lasts for long is renewed each day', async (w) => {
  w.announce('a1')
  w.publish()
  const policies = w.open()
  await policies.policyFor(DOMAIN)
  for (let day = 1; day <= 10; day++) {
    w.pass(DAY_MS)
    await policies.refresh()
    assert.equal(w.server.requests.length, 1 + day)
  }
  assert.deepEqual(await policies.policyFor(DOMAIN), sts('a1'))
})

inWorld('a policy that ends at once protects nothing, and is not fetched for each delivery', async (w) => {
  w.announce('a1')
  w.publish({ maxAgeSeconds: 0 })
  const policies = w.open()
  for (const passed of [0, 1, MINUTE_MS - 2]) {
    w.pass(passed)
    assert.deepEqual(await policies.policyFor(DOMAIN), OPPORTUNISTIC)
  }
  assert.equal(w.server.requests.length, 1)
  w.pass(1)
  await policies.policyFor(DOMAIN)
  assert.equal(w.server.requests.length, 2)
})

inWorld('a clock that is set back neither ends a policy nor keeps a new one away', async (w) => {
  w.announce('a1')
  w.publish()
  const policies = w.open()
  await policies.policyFor(DOMAIN)
  w.announce('a2')
  w.publish({ mode: 'testing' })
  w.pass(-30 * DAY_MS)
  assert.deepEqual(await policies.policyFor(DOMAIN), sts('a2', { mode: 'testing' }))
})

test('a store that is out of reach costs no live policy, and what it may hold is not taken for absent', async (t) => {
  await using open = await openTestStore('sqlite')
  const w = await world(t, open.store)
  const policies = w.open()
  await open.close()
  assert.deepEqual(await policies.policyFor(DOMAIN), OPPORTUNISTIC)
  w.announce('a1')
  w.publish()
  assert.deepEqual(await policies.policyFor(DOMAIN), sts('a1'))
  await until(() => w.errors().length === 3)
})

inWorld('when it is closed, what is being fetched is called off', async (w) => {
  w.announce('a1')
  w.server.answer = undefined
  const policies = w.open()
  const asked = policies.policyFor(DOMAIN)
  await until(() => w.server.requests.length === 1)
  await policies.close()
  assert.deepEqual(await asked, OPPORTUNISTIC)
  assert.deepEqual(w.warnings(), [])
})
