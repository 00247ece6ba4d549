import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { TlsWish } from '#model/delivery.ts'
import type { Lookup } from '#net/resolver.ts'
import { openLog } from '#observe/log.ts'
import { dotStuff } from '#protocol/dot-stuffing.ts'
import { connectSmtp } from '#smtp/client.ts'
import { type PolicyServer, startPolicyServer } from '#test/policy-server.ts'
import { type CollectingServer, startSmtpServer } from '#test/smtp-server.ts'
import { openTestStore } from '#test/stores.ts'
import { openTestAuthority, type TestAuthority } from '#test/test-authority.ts'
import { openTlsPolicies } from './open-tls-policies.ts'
import { ALWAYS_OPPORTUNISTIC, demandOf, type TlsDemand, type TlsPolicy } from './tls-policy.ts'

const MX = 'mx1.to.example'
const MINUTE_MS = 60_000

const opportunistic: TlsPolicy = { kind: 'opportunistic' }
const sts = (mode: 'enforce' | 'testing', ...mx: string[]): TlsPolicy => ({ kind: 'sts', mode, mx, id: 'a' })

/** What a demand asks, in a few words. */
function shown(demand: TlsDemand): string {
  switch (demand.kind) {
    case 'opportunistic':
      return 'opportunistic'
    case 'verified':
      return `${demand.because}${demand.needsExtension ? ` with ${demand.needsExtension}` : ''}`
    case 'tested':
      return demand.failure === undefined ? 'tested' : `tested, ${demand.failure}`
    case 'impossible':
      return `impossible, ${demand.detail}`
  }
}

const NAMED = [MX, 'MX1.to.example', '*.to.example']
const UNNAMED = ['mx2.to.example', '*.mx1.to.example', 'to.example', '*.example']
const NOT_NAMED = `the MTA-STS policy does not name ${MX}`
const NOBODY_NAMES = `TLS is required, and no policy names ${MX}`

const TABLE: readonly [policy: TlsPolicy, wish: TlsWish, demand: string][] = [
  [opportunistic, 'policy', 'opportunistic'],
  [opportunistic, 'optional', 'opportunistic'],
  [opportunistic, 'required', `impossible, ${NOBODY_NAMES}`],
  ...NAMED.flatMap((mx): [TlsPolicy, TlsWish, string][] => [
    [sts('enforce', 'mx9.example', mx), 'policy', 'sts-enforce'],
    [sts('enforce', 'mx9.example', mx), 'optional', 'opportunistic'],
    [sts('enforce', 'mx9.example', mx), 'required', 'requiretls with REQUIRETLS'],
    [sts('testing', 'mx9.example', mx), 'policy', 'tested'],
    [sts('testing', 'mx9.example', mx), 'optional', 'opportunistic'],
    [sts('testing', 'mx9.example', mx), 'required', 'requiretls with REQUIRETLS'],
  ]),
  ...UNNAMED.flatMap((mx): [TlsPolicy, TlsWish, string][] => [
    [sts('enforce', mx), 'policy', `impossible, ${NOT_NAMED}`],
    [sts('enforce', mx), 'optional', 'opportunistic'],
    [sts('enforce', mx), 'required', `impossible, ${NOT_NAMED}`],
    [sts('testing', mx), 'policy', `tested, ${NOT_NAMED}`],
    [sts('testing', mx), 'optional', 'opportunistic'],
    [sts('testing', mx), 'required', `impossible, ${NOBODY_NAMES}`],
  ]),
]

test('what policy and wish demand of a host', () => {
  for (const [policy, wish, demand] of TABLE)
    assert.equal(shown(demandOf(policy, wish, MX)), demand, `${JSON.stringify(policy)}, ${wish}`)
})

test('a name that an operator gave needs no policy to vouch for it, and overrules none', () => {
  const configured = { nameKnown: true }
  assert.equal(shown(demandOf(opportunistic, 'required', MX, configured)), 'requiretls with REQUIRETLS')
  assert.equal(shown(demandOf(opportunistic, 'policy', MX, configured)), 'opportunistic')
  const other = sts('enforce', 'mx2.to.example')
  assert.equal(shown(demandOf(other, 'required', MX, configured)), `impossible, ${NOT_NAMED}`)
})

test('only TLS-Required: No takes an enforced policy away', () => {
  const label = fc.stringMatching(/^[a-z]{1,3}$/)
  const name = fc.array(label, { minLength: 2, maxLength: 3 }).map((labels) => labels.join('.'))
  const pattern = fc.oneof(
    name,
    name.map((host) => `*.${host}`),
  )
  fc.assert(
    fc.property(fc.array(pattern, { minLength: 1 }), name, fc.boolean(), (mx, host, required) => {
      const { kind } = demandOf(sts('enforce', ...mx), required ? 'required' : 'policy', host)
      assert.ok(kind === 'verified' || kind === 'impossible', kind)
      if (mx.includes(host)) assert.equal(kind, 'verified')
    }),
  )
})

test('in development nobody is asked', async () => {
  assert.deepEqual(await ALWAYS_OPPORTUNISTIC.policyFor('to.example'), opportunistic)
})

let authority: Promise<TestAuthority> | undefined
const theAuthority = () => (authority ??= openTestAuthority())

/** What came of the one connection that the demand allows; a delivery when it is allowed at all. */
async function deliver(demand: TlsDemand, port: number): Promise<string> {
  if (demand.kind === 'impossible') return 'impossible'
  const tls = demand.kind === 'opportunistic' ? demand.kind : { verify: demand.verify }
  const where = { host: MX, address: '127.0.0.1', port, ehloName: 'from.example' }
  const connection = await connectSmtp({ ...where, tls })
  if (!connection.ok)
    return `${connection.kind}${connection.kind === 'tls-failed' && connection.retryInClear ? ', may retry' : ''}: ${connection.detail}`
  const content = Buffer.from('hello\r\n')
  const result = await connection.transact({
    mailFrom: 'a@from.example',
    rcptTo: 'b@to.example',
    content: { dotStuffed: dotStuff(content), size: content.length, eightBit: false, smtpUtf8: false },
  })
  await connection.quit()
  return `${result.kind} ${connection.tls === undefined ? 'in clear' : connection.tls.verified ? 'verified' : 'unverified'}`
}

interface MxOptions {
  readonly names?: readonly string[]
  readonly authority?: TestAuthority
  readonly at?: number
  readonly stripped?: true
}

async function startMx(t: TestContext, options: MxOptions = {}): Promise<CollectingServer> {
  if (options.stripped) return startSmtpServer(t)
  const pair = await (options.authority ?? (await theAuthority())).issue(options.names ?? [MX], options.at)
  return startSmtpServer(t, { tls: { mode: 'starttls', context: () => pair } })
}

async function demandUnder(policy: TlsPolicy, wish: TlsWish = 'policy'): Promise<TlsDemand> {
  return demandOf(policy, wish, MX, { ca: (await theAuthority()).certificate })
}

/** MX hosts whose TLS is not what RFC 8461 §4.2 wants, and what the handshake says of them. */
const FLAWED: readonly (readonly [flaw: string, options: () => Promise<MxOptions>, failure: RegExp])[] = [
  ['a certificate for another name', async () => ({ names: ['mx2.to.example', 'to.example'] }), /altnames/],
  ['a wildcard that is not for this name', async () => ({ names: ['*.mx1.to.example'] }), /altnames/],
  ['an expired certificate', async () => ({ at: Date.now() - 3 * 86_400_000 }), /expired/],
  ['an unknown authority', async () => ({ authority: await openTestAuthority() }), /certificate|signature/],
  ['no STARTTLS', async () => ({ stripped: true }), /STARTTLS is not offered/],
]

test('RFC 8461 §5: enforced, and the certificate holds', async (t) => {
  for (const names of [[MX], ['*.to.example'], ['other.example', MX]]) {
    const mx = await startMx(t, { names })
    assert.equal(
      await deliver(await demandUnder(sts('enforce', '*.to.example')), mx.port),
      'accepted verified',
    )
    assert.equal(mx.messages.length, 1)
  }
})

for (const [flaw, options, failure] of FLAWED) {
  test(`RFC 8461 §5: ${flaw} is no delivery where it is enforced, and noted where it is tested`, async (t) => {
    const mx = await startMx(t, await options())
    const enforced = await deliver(await demandUnder(sts('enforce', MX)), mx.port)
    assert.match(enforced, /^tls-failed: /)
    assert.match(enforced, failure)
    assert.deepEqual([mx.senders, mx.messages], [[], []])
    const tested = await deliver(await demandUnder(sts('testing', MX)), mx.port)
    assert.match(tested, failure)
    const unprotected = await deliver(await demandUnder(opportunistic), mx.port)
    assert.match(unprotected, /^accepted (unverified|in clear)$/)
    assert.equal(await deliver(await demandUnder(sts('enforce', MX), 'optional'), mx.port), unprotected)
  })
}

test('RFC 8689 §4.2.1: TLS that is required wants a certificate that holds and a server that offers it', async (t) => {
  const demand = await demandUnder(sts('testing', MX), 'required')
  assert.ok(demand.kind === 'verified')
  assert.equal(demand.needsExtension, 'REQUIRETLS')
  const mx = await startMx(t, { names: ['mx2.to.example'] })
  assert.match(await deliver(demand, mx.port), /^tls-failed: /)
})

/** A domain with DNS, a policy server and a clock, and what a delivery to its MX would come to. */
async function domainWith(t: TestContext, store: Awaited<ReturnType<typeof openTestStore>>['store']) {
  const server: PolicyServer = await startPolicyServer(t, await theAuthority(), { domain: 'to.example' })
  const state = { now: 1_800_000_000_000, txt: { kind: 'no-data' } as Lookup<string> }
  const policies = openTlsPolicies({
    store,
    resolver: { txt: async () => state.txt },
    fetch: server.fetch,
    log: openLog('silent'),
    now: () => state.now,
  })
  t.after(() => policies.close())
  return {
    server,
    state,
    publish: (id: string, ...lines: string[]) => {
      state.txt = { kind: 'found', records: [`v=STSv1; id=${id};`] }
      server.answer = { body: ['version: STSv1', ...lines, 'max_age: 604800'].join('\n') }
      state.now += 5 * MINUTE_MS
    },
    deliver: async (port: number) => deliver(await demandUnder(await policies.policyFor('to.example')), port),
  }
}

test('the life of a policy, as the deliveries of a domain see it', async (t) => {
  await using open = await openTestStore('sqlite')
  const domain = await domainWith(t, open.store)
  const bad = await startMx(t, { names: ['mx2.to.example'] })
  const good = await startMx(t)
  assert.equal(await domain.deliver(bad.port), 'accepted unverified', 'no policy')
  domain.state.now += 60 * MINUTE_MS

  domain.publish('a1', 'mode: testing', `mx: ${MX}`)
  assert.match(await domain.deliver(bad.port), /^tls-failed: /, 'tried first')

  domain.publish('a2', 'mode: enforce', 'mx: mx2.to.example')
  assert.equal(await domain.deliver(good.port), 'impossible', 'not its host')

  domain.publish('a3', 'mode: enforce', `mx: ${MX}`)
  assert.match(await domain.deliver(bad.port), /^tls-failed: /)
  assert.equal(await domain.deliver(good.port), 'accepted verified')

  domain.server.answer = { status: 503, body: '' }
  domain.state.txt = { kind: 'found', records: ['v=STSv1; id=a4;'] }
  domain.state.now += 5 * MINUTE_MS
  assert.match(await domain.deliver(bad.port), /^tls-failed: /, 'the policy server is down')
  domain.state.txt = { kind: 'no-such-name' }
  domain.state.now += 5 * MINUTE_MS
  assert.match(await domain.deliver(bad.port), /^tls-failed: /, 'the record is gone')

  domain.publish('a5', 'mode: none')
  assert.equal(await domain.deliver(bad.port), 'accepted unverified', 'removed')

  domain.publish('a6', 'mode: enforce', `mx: ${MX}`)
  assert.match(await domain.deliver(bad.port), /^tls-failed: /)
  await domain.server.close()
  domain.state.now += 7 * 86_400_000
  assert.equal(await domain.deliver(bad.port), 'accepted unverified', 'expired')
})
