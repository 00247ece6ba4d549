import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SecureContextOptions } from 'node:tls'
import type { TlsWish } from '#model/delivery.ts'
import type { TlsPolicy } from '#outbound/deliver/tls-policy.ts'
import { type FaultPeer, type FaultScript, startFaultPeer } from '#test/fault-peer.ts'
import { checkSteps, laneFailuresAmong, manyAt, openFaultRun } from '#test/fault-run.ts'
import { lanesIn, until } from '#test/outbound.ts'
import { openTestStore } from '#test/stores.ts'
import { openTestAuthority, type TestAuthority } from '#test/test-authority.ts'

/** DURABILITY's TLS failures, each under every policy: what is opportunistic falls back, what is enforced waits and never
 *  goes in clear, what is only tested is noted. */

const DAY_MS = 86_400_000
const PER_POLICY = 170

let authorities: Promise<{ readonly known: TestAuthority; readonly unknown: TestAuthority }> | undefined
const bothAuthorities = () =>
  (authorities ??= Promise.all([openTestAuthority(), openTestAuthority()]).then(([known, unknown]) => ({
    known,
    unknown,
  })))

interface TlsFault {
  readonly what: string
  /** What is noted of it. */
  readonly failure: RegExp
  readonly tls?: () => Promise<SecureContextOptions>
  readonly script?: FaultScript
}

const HOST = '*.tls.example'
const issue = async (names: readonly string[], at?: number) =>
  (await bothAuthorities()).known.issue(names, at)
const offersInVain =
  (answer: ReturnType<FaultScript>): FaultScript =>
  (moment, { secure }) => {
    if (moment === 'EHLO' && !secure) return '250-mx.test\r\n250 STARTTLS'
    return moment === 'STARTTLS' ? answer : undefined
  }

const FAULTS: readonly TlsFault[] = [
  { what: 'an expired certificate', failure: /expired/, tls: () => issue([HOST], Date.now() - 3 * DAY_MS) },
  {
    what: 'an authority that nobody knows',
    failure: /unable to|issuer|self-signed/,
    tls: async () => (await bothAuthorities()).unknown.issue([HOST]),
  },
  { what: 'a certificate for another host', failure: /altnames/, tls: () => issue(['other.example']) },
  {
    what: 'TLS 1.0 alone',
    failure: /protocol version|unsupported protocol|version/i,
    tls: async () => ({
      ...(await issue([HOST])),
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    }),
  },
  { what: 'STARTTLS stripped', failure: /not offered/ },
  {
    what: 'replies put in behind STARTTLS',
    failure: /more than one reply/,
    script: offersInVain('220 Go on\r\n250-mx.test\r\n250 SIZE 1000'),
  },
  { what: 'no TLS behind STARTTLS', failure: /./, script: offersInVain('220 Go on\r\nand on and on') },
  { what: 'a connection that ends at STARTTLS', failure: /closed/, script: offersInVain('close') },
]

for (const fault of FAULTS) {
  test(`${fault.what}: opportunistic falls back, testing notes it, enforce waits and says nothing`, async (t) => {
    await using open = await openTestStore('sqlite')
    const tls = await fault.tls?.()
    const names = ['opportunistic', 'testing', 'enforce', 'optional'] as const
    const peers: Record<string, FaultPeer> = {}
    for (const name of names) peers[name] = await startFaultPeer(t, fault.script, tls ? { tls } : {})
    const { opportunistic, testing, enforce, optional } = peers
    assert.ok(opportunistic && testing && enforce && optional)
    await using run = await openFaultRun(open, {
      ...(await worldOf(peers)),
      timeouts: { handshakeMs: 1000 },
    })
    for (const name of names) {
      const wish: TlsWish = name === 'optional' ? 'optional' : 'policy'
      await run.promise(manyAt(`${name}.example`, PER_POLICY), () => ({ tls: wish }))
    }
    await until('failures', async () =>
      (await lanesIn(open.store)).some(
        (lane) => lane.recipient_domain === 'enforce.example' && lane.failures >= 2,
      ),
    )
    await run.drained(({ recipient }) => recipient.endsWith('@enforce.example'))
    assert.deepEqual([enforce.ledger.length, enforce.seen.get('MAIL')], [0, undefined], 'nothing was said')

    // Mended.
    enforce.tls = await issue([HOST])
    enforce.script = () => undefined
    await run.drained()
    const tally = await run.judge(Object.values(peers))
    assert.deepEqual([tally.delivered, tally.duplicates], [4 * PER_POLICY, 0])
    assert.ok(enforce.ledger.every(({ secure }) => secure))

    const of = (name: string, type: string) =>
      tally.attempts.filter(
        (seen) => seen.type === type && String(seen.detail['recipient']).endsWith(`@${name}.example`),
      )
    for (const name of ['opportunistic', 'optional'])
      assert.ok(of(name, 'delivered').every(({ detail }) => detail['tlsPolicy'] === 'opportunistic'))
    for (const { detail } of of('testing', 'delivered')) {
      assert.equal(detail['tlsPolicy'], 'tested')
      assert.match(String(detail['tlsFailure']), fault.failure)
    }
    const failures = laneFailuresAmong(tally.attempts, 'enforce.example')
    assert.ok(failures.length >= 2)
    checkSteps(failures)
    for (const { detail } of failures) {
      assert.deepEqual([detail['tlsPolicy'], detail['cause']], ['sts-enforce', 'tls'])
      assert.match(String(detail['tlsFailure']), fault.failure)
    }
    for (const { detail } of of('enforce', 'delivered')) assert.match(String(detail['tls']), /^TLSv1\.[23] /)
  })
}

test('REQUIRETLS: where the host does not offer it the mail comes back with 5.7.30, without being shown', async (t) => {
  await using open = await openTestStore('sqlite')
  const tls = await issue([HOST])
  const without = await startFaultPeer(t, undefined, { tls })
  const offering = await startFaultPeer(t, undefined, { tls, extensions: ['REQUIRETLS'] })
  await using run = await openFaultRun(
    open,
    await worldOf({ 'enforce-without': without, 'enforce-with': offering }),
  )
  const required = () => ({ tls: 'required' as const })
  await run.promise(manyAt('enforce-without.example'), required)
  await run.promise(manyAt('enforce-with.example'), required)
  await run.drained()
  const tally = await run.judge([without, offering])
  assert.deepEqual([tally.delivered, tally.bounced, tally.attempts.length], [500, 500, 1000])
  assert.deepEqual([without.ledger.length, without.seen.get('MAIL')], [0, undefined])
  assert.ok(offering.ledger.every(({ secure }) => secure))
  for (const { type, detail } of tally.attempts) {
    assert.equal(detail['tlsPolicy'], 'requiretls')
    if (type === 'bounced') assert.deepEqual([detail['enhancedStatus'], detail['cause']], ['5.7.30', 'tls'])
  }
})

/** Hosts that are all named as the certificate has it, each with a domain whose policy its name tells. */
async function worldOf(peers: Readonly<Record<string, FaultPeer>>) {
  const absent = { kind: 'no-such-name' } as const
  return {
    ca: (await bothAuthorities()).known.certificate,
    policies: { policyFor: async (domain: string) => policyOf(domain) },
    resolver: {
      mx: async (domain: string) => ({
        kind: 'found' as const,
        records: [{ preference: 10, exchange: `${domain.split('.')[0]}.tls.example` }],
      }),
      addresses: async () => absent,
      txt: async () => absent,
    },
    endpoints: (host: string) => {
      const peer = peers[host.split('.')[0] ?? '']
      return peer && { port: peer.port, addresses: ['127.0.0.1'] }
    },
  }
}

function policyOf(domain: string): TlsPolicy {
  if (domain.startsWith('opportunistic')) return { kind: 'opportunistic' }
  const mode = domain.startsWith('testing') ? 'testing' : 'enforce'
  return { kind: 'sts', mode, mx: ['*.tls.example'], id: '1' }
}
