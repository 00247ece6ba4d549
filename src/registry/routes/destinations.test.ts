import assert from 'node:assert/strict'
import { type Address, foldAddress } from '#model/address.ts'
import { parseAddress } from '#protocol/address.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { openDestinations } from './destinations.ts'

async function world(open: OpenStore) {
  let now = 1_800_000_000_000
  const clock = () => now
  const accounts = openAccounts({ store: open.store, clock })
  const destinations = openDestinations({ store: open.store, clock })
  const a = await accounts.createAccount('A')
  const b = await accounts.createAccount('B')
  return { a: a.id, b: b.id, destinations, pass: (ms: number) => (now += ms) }
}

function address(text: string): Address {
  const parsed = parseAddress(text)
  assert.ok(typeof parsed === 'string', text)
  return parsed
}

onBothEngines(
  'verified addresses are told from unverified and unknown ones, whatever their case',
  async (_t, open) => {
    const { a, destinations } = await world(open)
    await destinations.addDestination(a, address('Boss@Example.com'), { verified: true })
    await destinations.addDestination(a, address('new@example.com'), { verified: false })
    const keys = ['BOSS@example.com', 'new@example.com', 'nobody@example.com'].map((text) =>
      foldAddress(address(text)),
    )
    assert.deepEqual(await destinations.verified(a, keys), new Set(['boss@example.com']))
    for (const key of keys)
      assert.deepEqual(
        await destinations.verified(a, [key]),
        new Set(key === 'boss@example.com' ? [key] : []),
      )
    assert.deepEqual(await destinations.verified(a, []), new Set())
  },
)

onBothEngines('fifty recipients are one question, and no key is read as SQL or JSON', async (_t, open) => {
  const { a, destinations } = await world(open)
  const hostile = address(`"quote'\\"[]{}%_"@example.com`)
  await destinations.addDestination(a, hostile, { verified: true })
  const emails = [...Array(49).keys()].map((i) => address(`user${i}@example.com`))
  await destinations.addDestination(a, address('user7@example.com'), { verified: true })
  const keys = [...emails, hostile].map(foldAddress)
  assert.deepEqual(await destinations.verified(a, keys), new Set(['user7@example.com', foldAddress(hostile)]))
})

onBothEngines('an account sees no destination of another', async (_t, open) => {
  const { a, b, destinations } = await world(open)
  await destinations.addDestination(a, address('boss@example.com'), { verified: true })
  assert.deepEqual(await destinations.verified(b, ['boss@example.com']), new Set())
  assert.deepEqual(await destinations.verified(b, ['boss@example.com', 'x@example.com']), new Set())
})

onBothEngines('an address is added once; a proof is added to it and never taken away', async (_t, open) => {
  const { a, b, destinations, pass } = await world(open)
  const boss = address('Boss@example.com')
  const first = await destinations.addDestination(a, boss, { verified: false })
  assert.equal(first.verifiedAt, null)
  pass(1000)
  const proven = await destinations.addDestination(a, address('boss@example.com'), { verified: true })
  assert.deepEqual(proven, {
    ...first,
    verifiedAt: first.createdAt + 1000,
    modifiedAt: first.createdAt + 1000,
  })
  pass(1000)
  assert.deepEqual(await destinations.addDestination(a, boss, { verified: false }), proven)
  assert.deepEqual(await destinations.addDestination(a, boss, { verified: true }), proven)
  assert.notEqual((await destinations.addDestination(b, boss, { verified: false })).id, first.id)
})
