import assert from 'node:assert/strict'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { onBothEngines } from '#test/stores.ts'
import { openQuota, utcDay } from './quota.ts'

onBothEngines('recipients are counted by account and by day in UTC', async (_t, open) => {
  const accounts = openAccounts({ store: open.store, clock: Date.now })
  const quota = openQuota({ store: open.store })
  const a = await accounts.createAccount('A')
  const b = await accounts.createAccount('B')
  const lastMoment = Date.UTC(2026, 10, 20, 23, 59, 59, 999)
  const day = utcDay(lastMoment)
  await open.store.commit([quota.reserveWrite(a.id, 3, lastMoment)])
  await open.store.commit([quota.reserveWrite(a.id, 50, lastMoment), quota.reserveWrite(b.id, 1, lastMoment)])
  await open.store.commit([quota.reserveWrite(a.id, 7, lastMoment + 1)])
  assert.equal(await quota.usage(a.id, day), 53)
  assert.equal(await quota.usage(a.id, day + 1), 7)
  assert.equal(await quota.usage(b.id, day), 1)
  assert.equal(await quota.usage(b.id, day + 1), 0)
})

onBothEngines('reservations of many messages at once lose none', async (_t, open) => {
  const accounts = openAccounts({ store: open.store, clock: Date.now })
  const quota = openQuota({ store: open.store })
  const { id } = await accounts.createAccount('A')
  const at = Date.UTC(2026, 10, 20)
  await Promise.all([...Array(50).keys()].map(() => open.store.commit([quota.reserveWrite(id, 2, at)])))
  assert.equal(await quota.usage(id, utcDay(at)), 100)
})
