import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import test from 'node:test'
import { openLog } from '#observe/log.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import type { SmtpSession } from '#smtp/handler.ts'
import { openTestStore } from '#test/stores.ts'
import { type LoginWorld, openLogins } from './login.ts'
import { openLoginDelays } from './login-delays.ts'

const MINUTE_MS = 60_000

/** Logins with everything real below them, but for the clock and for how they wait: that is noted. */
async function openWorld(over: Partial<LoginWorld> = {}) {
  const store = await openTestStore('sqlite')
  let now = 1_800_000_000_000
  const clock = () => now
  const accounts = openAccounts({ store: store.store, clock })
  const { id } = await accounts.createAccount('One')
  const sending = { name: 'smtp', permissions: ['Email Sending:Edit'] } as const
  const revoked = await accounts.createToken(id, sending)
  await accounts.revokeToken(id, revoked.id)
  const tokens = {
    right: (await accounts.createToken(id, sending)).secret,
    unknown: 'of nobody',
    revoked: revoked.secret,
    expired: (await accounts.createToken(id, { ...sending, expiresAt: now - 1 })).secret,
    'no-permission': (await accounts.createToken(id, { name: 'smtp', permissions: ['Analytics:Edit'] }))
      .secret,
  }
  const happened: string[] = []
  const logged: unknown[] = []
  const sink = new Writable({
    write(line: Buffer, _encoding, done) {
      logged.push(JSON.parse(line.toString()))
      done()
    },
  })
  const logins = openLogins({
    accounts: {
      ...accounts,
      authenticate(secret, address) {
        happened.push('look')
        return accounts.authenticate(secret, address)
      },
    },
    delays: openLoginDelays({ now: clock }),
    log: openLog('trace', sink),
    connectionsPerAccount: 100,
    now: clock,
    async sleep(ms) {
      happened.push(`wait ${ms}`)
    },
    ...over,
  })
  const attempt = async (password: string, network = '192.0.2.1', username = 'api_token') => {
    const reply = await logins.authenticate(sessionFrom(network), username, password)
    return reply?.code ?? 235
  }
  const guess = async (times: number, network?: string) => {
    for (let n = 0; n < times; n += 1) assert.equal(await attempt(`guess ${n} ${network}`, network), 535)
  }
  return {
    ...{ accountId: id, tokens, logins, logged, attempt, guess },
    /** What happened since it was last asked. */
    happened: () => happened.splice(0),
    pass: (ms: number) => (now += ms),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

function sessionFrom(remoteAddress: string): SmtpSession {
  const envelope = { from: undefined, to: [], utf8: false }
  return {
    ...{ id: 'a', remoteAddress, remotePort: 1, helo: 'client.example', tls: undefined, envelope },
    esmtp: true,
    state: undefined,
    destroy: () => {},
  }
}

test('after the free ones each attempt waits before it is looked at, right or wrong', async () => {
  await using world = await openWorld()
  const { attempt, guess, happened, tokens } = world
  await guess(5)
  assert.deepEqual(happened(), Array(5).fill('look'))
  await guess(2)
  assert.deepEqual(happened(), ['wait 100', 'look', 'wait 141', 'look'])
  assert.equal(await attempt(tokens.right), 235)
  assert.deepEqual(happened(), ['wait 200', 'look'])
  // Lets the own token in as before, and the next guess wait as long as before: three of the seven were taken back.
  assert.equal(await attempt(tokens.right), 235)
  assert.deepEqual(happened(), ['look'])
  await guess(4)
  assert.deepEqual(happened(), ['look', 'look', 'wait 100', 'look', 'wait 141', 'look'])
  assert.equal(await attempt(tokens.right), 235)
  assert.equal(await attempt(tokens.right), 235)
  assert.deepEqual(happened(), ['look', 'look'])
  await guess(1)
  assert.deepEqual(happened(), ['wait 200', 'look'])
  assert.equal(await attempt(tokens.right, '198.51.100.1'), 235)
  assert.deepEqual(happened(), ['look'])
})

test('whose a token was cannot be told by the wait', async () => {
  const waits = async (kind: 'unknown' | 'revoked' | 'expired' | 'no-permission') => {
    await using world = await openWorld()
    for (let network = 0; network < 12; network += 1) {
      assert.equal(await world.attempt(world.tokens[kind], `203.0.113.${network}`), 535)
    }
    // Another one of the same account, or of nobody.
    await world.attempt(world.tokens[kind === 'unknown' ? 'revoked' : 'unknown'], '203.0.113.99')
    return world.happened()
  }
  const ofUnknown = await waits('unknown')
  assert.ok(ofUnknown.includes('wait 400'))
  for (const kind of ['revoked', 'expired', 'no-permission'] as const) {
    assert.deepEqual(await waits(kind), ofUnknown, kind)
  }
})

test('who hangs up while it waits is not looked at', async () => {
  const released = Promise.withResolvers<void>()
  await using world = await openWorld({ sleep: () => released.promise })
  await world.guess(5)
  world.happened()
  const session = sessionFrom('192.0.2.1')
  const answer = world.logins.authenticate(session, 'api_token', world.tokens.right)
  world.logins.closed(session)
  released.resolve()
  assert.equal((await answer)?.code, 535)
  assert.deepEqual(world.happened(), [])
})

test('of one network five wait at most, those who hung up among them', async () => {
  const released = Promise.withResolvers<void>()
  await using world = await openWorld({ sleep: () => released.promise })
  const { attempt, guess, happened, logins } = world
  await guess(5)
  happened()
  const gone = sessionFrom('192.0.2.1')
  const waiting = [
    logins.authenticate(gone, 'api_token', 'a guess'),
    ...Array.from({ length: 4 }, (_, n) => attempt(`another ${n}`)),
  ]
  logins.closed(gone)
  assert.equal(await attempt(world.tokens.right), 421)
  assert.equal(await attempt(world.tokens.right, '198.51.100.1'), 235)
  assert.deepEqual(happened(), ['look'])
  released.resolve()
  await Promise.all(waiting)
  assert.deepEqual(happened(), Array(4).fill('look'))
  assert.equal(await attempt(world.tokens.right), 235)
})

test('of refused logins the first five of a network are logged, then one line a minute with their number', async () => {
  await using world = await openWorld()
  const { attempt, guess, logged, pass, tokens } = world
  assert.equal(await attempt(tokens.revoked), 535)
  assert.equal(await attempt(tokens.right, undefined, 'somebody'), 535)
  await guess(10)
  await guess(1, '198.51.100.1')
  pass(MINUTE_MS)
  await guess(3)
  const line = (fault: string, refusals: number, delayMs = 0, owner?: string) => [
    fault,
    owner,
    refusals,
    delayMs,
  ]
  assert.deepEqual(
    logged.map((entry) => {
      assert.ok(isRefusal(entry))
      return [entry.fault, entry.owner, entry.refusals, entry.delayMs]
    }),
    [
      line('revoked', 1, 0, world.accountId),
      line('username', 1, 0, world.accountId),
      ...Array.from({ length: 3 }, () => line('unknown', 1)),
      line('unknown', 1),
      line('unknown', 8, 1131),
    ],
  )
  assert.doesNotMatch(
    JSON.stringify(logged),
    new RegExp([...Object.values(tokens), 'somebody', 'guess'].join('|')),
  )
})

interface Refusal {
  readonly fault: string
  readonly owner?: string
  readonly refusals: number
  readonly delayMs: number
}

function isRefusal(entry: unknown): entry is Refusal {
  return (
    typeof entry === 'object' && entry !== null && 'msg' in entry && entry.msg === 'submission: login refused'
  )
}
