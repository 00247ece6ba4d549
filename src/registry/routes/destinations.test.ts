import assert from 'node:assert/strict'
import { type Address, foldAddress } from '#model/address.ts'
import { parseAddress } from '#protocol/address.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import type { Destination } from './destination.ts'
import { DESTINATIONS_PER_ACCOUNT, openDestinations } from './destinations.ts'

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

const silent = () => []
const nothing = async () => []

onBothEngines('an address is created once, and asked again until it is verified', async (_t, open) => {
  const { a, destinations, pass } = await world(open)
  const asked: [Destination, boolean][] = []
  const ask = async (destination: Destination, isNew: boolean) => {
    asked.push([destination, isNew])
    return []
  }
  const created = await destinations.create(a, address('Me@dest.example'), ask)
  assert.ok(created.kind === 'created')
  const { destination } = created
  assert.deepEqual(await destinations.destination(a, destination.id), destination)
  pass(1000)
  const again = await destinations.create(a, address('me@dest.example'), ask)
  assert.deepEqual(again, { kind: 'asked', destination })
  assert.deepEqual(asked, [
    [destination, true],
    [destination, false],
  ])
  assert.deepEqual(await destinations.asked(destination.id), { accountId: a, destination })
  assert.ok(await destinations.confirm(a, destination, silent))
  assert.equal(await destinations.confirm(a, destination, silent), false, 'once')
  const proven = await destinations.create(a, address('ME@dest.example'), ask)
  assert.ok(proven.kind === 'verified')
  assert.ok(proven.destination.verifiedAt !== null)
  assert.equal(asked.length, 2, 'one that is verified is asked nothing')
})

onBothEngines('where nobody may be asked, nothing is written', async (_t, open) => {
  const { a, destinations } = await world(open)
  const refuse = async () => undefined
  assert.deepEqual(await destinations.create(a, address('me@dest.example'), refuse), { kind: 'not-asked' })
  assert.equal((await destinations.list(a, PAGE)).total, 0)
})

const PAGE = { order: 'created', direction: 'asc', offset: 0, limit: 1000 } as const

onBothEngines('a proof that was taken back is not given again by an old link', async (_t, open) => {
  const { a, b, destinations } = await world(open)
  const created = await destinations.create(a, address('me@dest.example'), nothing)
  assert.ok(created.kind === 'created')
  const { destination: first } = created
  const set = (verified: boolean) => destinations.setVerified(a, { id: first.id, verified }, silent)
  assert.deepEqual(await set(false), first, 'nothing to take back')
  assert.ok(await destinations.confirm(a, first, silent))
  const notes: unknown[] = []
  const taken = await destinations.setVerified(a, { id: first.id, verified: false }, (change) => {
    notes.push(change.before.verifiedAt !== null, change.after.verifiedAt)
    return []
  })
  assert.deepEqual(notes, [true, null])
  assert.equal(taken?.verifyRound, 1)
  assert.equal(await destinations.confirm(a, first, silent), false, 'of the round before')
  assert.ok(taken && (await destinations.confirm(a, taken, silent)))
  assert.equal(await destinations.setVerified(b, { id: first.id, verified: false }, silent), undefined)
  assert.equal(await destinations.remove(b, first.id, silent), undefined)
  assert.equal(await destinations.destination(b, first.id), undefined)
  assert.equal((await destinations.remove(a, first.id, silent))?.id, first.id)
  assert.equal(await destinations.confirm(a, taken, silent), false, 'gone')
  assert.equal(await destinations.asked(first.id), undefined)
})

onBothEngines('a list has its order, its filter and its pages', async (_t, open) => {
  const { a, destinations, pass } = await world(open)
  for (const [email, verified] of [
    ['c@dest.example', true],
    ['a@dest.example', false],
    ['B@dest.example', true],
  ] as const) {
    await destinations.addDestination(a, address(email), { verified })
    pass(1)
  }
  const list = async (page: object) => {
    const { destinations: shown, total } = await destinations.list(a, { ...PAGE, ...page })
    return [shown.map(({ email }) => email.slice(0, 1)).join(''), total]
  }
  assert.deepEqual(await list({}), ['caB', 3])
  assert.deepEqual(await list({ direction: 'desc' }), ['Bac', 3])
  assert.deepEqual(await list({ order: 'email' }), ['aBc', 3])
  assert.deepEqual(await list({ order: 'modified', direction: 'desc' }), ['Bac', 3])
  assert.deepEqual(await list({ verified: true }), ['cB', 2])
  assert.deepEqual(await list({ verified: false }), ['a', 1])
  assert.deepEqual(await list({ limit: 2, offset: 2 }), ['B', 3])
  assert.deepEqual(await list({ limit: 2, offset: 9e18 }), ['', 3])
})

onBothEngines('an account has 200 destinations at most', async (_t, open) => {
  const { a, b, destinations } = await world(open)
  const create = (accountId: string, i: number) =>
    destinations.create(accountId, address(`u${i}@dest.example`), nothing)
  for (let i = 0; i < DESTINATIONS_PER_ACCOUNT; i++) assert.equal((await create(a, i)).kind, 'created')
  assert.deepEqual(await create(a, 200), { kind: 'too-many', limit: 200 })
  assert.equal((await create(a, 0)).kind, 'asked')
  assert.equal((await create(b, 200)).kind, 'created')
})

onBothEngines('added by many at once, an address is there once', async (_t, open) => {
  const { a, destinations } = await world(open)
  const created = await Promise.all(
    Array.from({ length: 6 }, () => destinations.create(a, address('me@dest.example'), nothing)),
  )
  const ids = created.map((each) => ('destination' in each ? each.destination.id : each.kind))
  assert.equal(new Set(ids).size, 1)
  assert.equal(created.filter(({ kind }) => kind === 'created').length, 1)
})
