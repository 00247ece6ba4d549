import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TlsWish } from '#model/delivery.ts'
import { LIMITS } from '#test/delivery-world.ts'
import { type FaultPeer, startFaultPeer } from '#test/fault-peer.ts'
import { type FaultRun, manyAt, openFaultRun } from '#test/fault-run.ts'
import { OTHER_ACCOUNT, until } from '#test/outbound.ts'
import { openTestStore } from '#test/stores.ts'

/** One account's twenty thousand for a destination, and somebody's single message to it. */

const absent = { kind: 'no-such-name' } as const

async function crowd(
  t: Parameters<typeof startFaultPeer>[0],
  single: (run: FaultRun) => Promise<string[]>,
): Promise<number> {
  await using open = await openTestStore('sqlite')
  const peer: FaultPeer = await startFaultPeer(t, (moment) =>
    moment === '.' ? { dribble: '250 Ok', everyMs: 1 } : undefined,
  )
  await using run = await openFaultRun(open, {
    // All domains have one host.
    resolver: {
      mx: async () => ({ kind: 'found', records: [{ preference: 10, exchange: 'mx.shared.example' }] }),
      addresses: async () => absent,
      txt: async () => absent,
    },
    endpoints: () => ({ port: peer.port, addresses: ['127.0.0.1'] }),
    policies: {
      policyFor: async (domain) =>
        domain === 'testing.example'
          ? { kind: 'sts', mode: 'testing', mx: ['mx.shared.example'], id: '1' }
          : { kind: 'opportunistic' },
    },
    limits: { ...LIMITS, connections: 2 },
  })
  for (let n = 0; n < 20; n++) {
    const sending = Array.from({ length: 20 }, (_, i) => run.world.send(manyAt(`crowd${n}-${i}.example`, 50)))
    await Promise.all(sending)
  }
  await until('the crowd is being served', () => peer.ledger.length > 100)
  const before = peer.ledger.length
  const [id = ''] = await single(run)
  await until('the single one arrived', () => peer.ledger.some((arrival) => arrival.from.startsWith(id)))
  const position = peer.ledger.findIndex((arrival) => arrival.from.startsWith(id)) - before
  await run.world.stop(0)
  return position
}

test('another account’s single message is delivered among the first few', async (t) => {
  const position = await crowd(t, (run) =>
    run.promise(['one@crowd0-0.example'], () => ({ accountId: OTHER_ACCOUNT })),
  )
  assert.ok(position <= 24, `${position} before it`)
})

const DEMANDS: readonly [what: string, domain: string, tls: TlsWish][] = [
  ['under a policy that is tested', 'testing.example', 'policy'],
  ['that wants no TLS', 'crowd0-0.example', 'optional'],
]

for (const [what, domain, tls] of DEMANDS) {
  test(`a message ${what} waits for a connection of its own, and gets one soon`, async (t) => {
    const position = await crowd(t, (run) =>
      run.promise([`one@${domain}`], () => ({ tls, accountId: OTHER_ACCOUNT })),
    )
    // Two connections, each of which serves twenty more at most before it gives its place away.
    assert.ok(position <= 100, `${position} before it`)
  })
}
