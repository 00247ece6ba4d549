import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { serviceNames } from '#model/service.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { openVault } from '#vault/vault.ts'
import { openDomains } from './domains.ts'
import { LOOPBACK_ADDRESSES } from './service-zone.ts'
import { PENDING_ZONES } from './zones.ts'

/** A world whose DNS knows nothing, so that no zone is ever proven. */
async function world({ store }: OpenStore) {
  const clock = Date.now
  const accounts = openAccounts({ store, clock })
  const domains = openDomains({
    ...{ store, service: serviceNames('posthorn.test'), addresses: LOOPBACK_ADDRESSES, clock },
    vault: openVault(randomBytes(32)),
    ownership: {
      txt: async () => ({ kind: 'no-such-name' }),
      delegation: async () => ({ kind: 'no-such-name' }),
    },
  })
  const account = async (name: string) => (await accounts.createAccount(name)).id
  const claim = (accountId: string, name: string) => domains.zoneControl.claim(accountId, name, {})
  return { domains, account, claim }
}

onBothEngines('an account may have a hundred zones that wait for proof', async (_t, open) => {
  const { domains, account, claim } = await world(open)
  const [a, b] = [await account('A'), await account('B')]
  for (let i = 0; i < PENDING_ZONES.account; i++) {
    const claimed = await claim(a, `n${i}.example`)
    assert.equal(claimed.kind, 'created')
  }
  const limit = PENDING_ZONES.account
  assert.deepEqual(await claim(a, 'more.example'), { kind: 'too-many-pending', of: 'account', limit })
  assert.equal((await claim(a, 'n5.example')).kind, 'existed')
  assert.equal((await claim(b, 'more.example')).kind, 'created', 'another account')
  const active = await domains.createZone(a, 'active.example', { active: true })
  assert.equal(active.kind, 'created', 'one that is proven does not wait')
  const [first] = await domains.zones(a)
  assert.ok(first && (await domains.zoneControl.remove(first)))
  assert.equal((await claim(a, 'more.example')).kind, 'created', 'as many as that again')
})

onBothEngines('a name may wait for proof in twenty accounts', async (_t, open) => {
  const { domains, account, claim } = await world(open)
  for (let i = 0; i < PENDING_ZONES.name; i++)
    assert.equal((await claim(await account(`A${i}`), 'wanted.example')).kind, 'created')
  const late = await account('Late')
  const limit = PENDING_ZONES.name
  assert.deepEqual(await claim(late, 'wanted.example'), { kind: 'too-many-pending', of: 'name', limit })
  assert.equal((await claim(late, 'other.example')).kind, 'created')
  const proven = await domains.createZone(late, 'wanted.example', { active: true })
  assert.equal(proven.kind, 'created')
})
