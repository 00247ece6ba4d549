import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { onBothEngines } from '#test/stores.ts'
import { newId } from './id.ts'
import { StatementFailed } from './statement-failed.ts'
import { type Statement, type Store, statement, type Write } from './store.ts'

const insertAccount = statement(
  'account.insert',
  'insert into account (id, name, sending_enabled, created_at) values ($1, $2, 1, {now})',
)
const renameAccount = statement('account.rename', 'update account set name = $2 where id = $1')
const insertReturning = statement('account.insert-returning', {
  sqlite: `insert into account (id, name, sending_enabled, created_at) values ($1, $2, 1, 5) returning id, created_at`,
  postgres: `insert into account (id, name, sending_enabled, created_at) values ($1, $2, 1, 5) returning id, created_at`,
})
const selectAccount = statement<{ id: string; name: string }>(
  'account.by-id',
  'select id, name from account where id = $1',
)
const readName = statement('account.name', 'select name from account where id = $1')
const listAccounts = statement<{ id: string }>('account.list', 'select id from account order by id')
const insertUsage = statement(
  'usage.insert',
  'insert into quota_usage (account_id, day, recipients) values ($1, $2, $3)',
)
const deleteUsage = statement('usage.delete', 'delete from quota_usage where account_id = $1 returning day')
const lockAccount = statement('account.lock', {
  sqlite: 'select id from account where id = $1',
  postgres: 'select id from account where id = $1 for update',
})

const account = (id: string, name = 'a'): Write => ({ statement: insertAccount, params: [id, name], rows: 1 })
const rename = (id: string, name: string): Write => ({
  statement: renameAccount,
  params: [id, name],
  rows: 1,
})
const readBack = (id: string): Write => ({ statement: readName, params: [id], rows: 1 })
const countOf = async (store: Store) => (await store.all(listAccounts, [])).length

onBothEngines('a committed set is there for the next read, and after a restart', async (_, open) => {
  const id = newId()
  const result = await open.store.commit([account(id, 'First'), rename(id, 'Second')])
  assert.deepEqual(result, { ok: true, rows: [[], []] })
  assert.deepEqual(await open.store.get(selectAccount, [id]), { id, name: 'Second' })
  const again = await open.reopen()
  assert.deepEqual(await again.get(selectAccount, [id]), { id, name: 'Second' })
  assert.equal(await again.get(selectAccount, [newId()]), undefined)
})

onBothEngines(
  'a conflict undoes the whole set, is named, and leaves its neighbours alone',
  async (_, { store }) => {
    const ids = Array.from({ length: 200 }, newId)
    const results = await Promise.all(
      ids.map((id, index) =>
        store.commit([account(id), rename(index % 7 === 0 ? newId() : id, `n${index}`)]),
      ),
    )
    for (const [index, id] of ids.entries()) {
      const expected = index % 7 === 0 ? undefined : { id, name: `n${index}` }
      assert.deepEqual(await store.get(selectAccount, [id]), expected)
      if (index % 7 === 0) assert.deepEqual(results[index], { ok: false, conflict: 'account.rename' })
      else assert.equal(results[index]?.ok, true)
    }
  },
)

onBothEngines(
  'an engine error undoes its set alone and names the statement, not the values',
  async (_, { store }) => {
    const [taken, free, secret] = [newId(), newId(), 'a-secret-value']
    await store.commit([account(taken)])
    const [first, second] = await Promise.allSettled([
      store.commit([account(free), account(taken, secret)]),
      store.commit([rename(taken, 'renamed')]),
    ])
    assert.equal(first.status, 'rejected')
    assert.ok(first.reason instanceof StatementFailed)
    assert.equal(first.reason.statement, 'account.insert')
    assert.doesNotMatch(inspect(first.reason, { depth: 5 }), /a-secret-value/)
    assert.equal(second.status, 'fulfilled')
    assert.equal(await store.get(selectAccount, [free]), undefined)
    assert.equal((await store.get(selectAccount, [taken]))?.name, 'renamed')
  },
)

onBothEngines('a foreign key that does not hold is an engine error', async (_, { store }) => {
  const orphan = { statement: insertUsage, params: [newId(), 1, 1], rows: 1 }
  await assert.rejects(store.commit([orphan]), { name: 'StatementFailed', statement: 'usage.insert' })
})

onBothEngines(
  'returned rows come back by write, whatever is expected of their number',
  async (_, { store }) => {
    const id = newId()
    const usage = (day: number) => ({ statement: insertUsage, params: [id, day, 1], rows: 1 })
    const result = await store.commit([
      { statement: insertReturning, params: [id, 'x'], rows: 1 },
      usage(1),
      usage(2),
      { statement: deleteUsage, params: [id], rows: 2 },
      { statement: deleteUsage, params: [id], rows: 0 },
      { statement: deleteUsage, params: [id] },
      { statement: lockAccount, params: [id], rows: 1 },
    ])
    assert.ok(result.ok)
    const [inserted, plain, , deleted, none, unasked, locked] = result.rows
    assert.deepEqual(inserted, [{ id, created_at: 5 }])
    assert.deepEqual(plain, [])
    assert.deepEqual(new Set(deleted?.map((row) => (row as { day: number }).day)), new Set([1, 2]))
    assert.deepEqual([none, unasked], [[], []])
    assert.deepEqual(locked, [{ id }])
  },
)

for (const [title, write] of [
  ['too few returned rows', { statement: deleteUsage, params: [newId()], rows: 1 }],
  ['a row that should not be there', { statement: listAccounts, params: [], rows: 0 }],
  ['an update of nothing', { statement: renameAccount, params: [newId(), 'x'], rows: 1 }],
  ['a read that finds nothing', { statement: lockAccount, params: [newId()], rows: 1 }],
] satisfies [string, Write][]) {
  onBothEngines(`${title} is a conflict`, async (_, { store }) => {
    await store.commit([account(newId())])
    const id = newId()
    const result = await store.commit([account(id), write, account(newId())])
    assert.deepEqual(result, { ok: false, conflict: write.statement.name })
    assert.equal(await store.get(selectAccount, [id]), undefined)
  })
}

onBothEngines('an insert that meets its like may count as no row', async (_, { store }) => {
  const once = statement(
    'account.once',
    'insert into account (id, name, sending_enabled, created_at) values ($1, $2, 1, 1) on conflict do nothing',
  )
  const id = newId()
  assert.equal((await store.commit([{ statement: once, params: [id, 'x'], rows: 1 }])).ok, true)
  assert.deepEqual(await store.commit([{ statement: once, params: [id, 'x'], rows: 1 }]), {
    ok: false,
    conflict: 'account.once',
  })
})

onBothEngines('of many sets that compete for one row, one wins', async (_, { store }) => {
  const id = newId()
  await store.commit([account(id, 'free')])
  const take = statement('account.take', `update account set name = $2 where id = $1 and name = 'free'`)
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      store.commit([{ statement: take, params: [id, `w${index}`], rows: 1 }]),
    ),
  )
  const winners = results.flatMap((result, index) => (result.ok ? [`w${index}`] : []))
  assert.equal(winners.length, 1)
  assert.equal((await store.get(selectAccount, [id]))?.name, winners[0])
})

onBothEngines(
  'each of many sets that follow each other at once gets its own answer',
  async (_, { store }) => {
    await Promise.all(
      Array.from({ length: 30 }, async (_, worker) => {
        for (let turn = 0; turn < 20; turn++) {
          const id = newId()
          const fails = (worker + turn) % 3 === 0
          const result = await store.commit([account(id, id), rename(fails ? newId() : id, id), readBack(id)])
          assert.deepEqual(
            result,
            fails ? { ok: false, conflict: 'account.rename' } : { ok: true, rows: [[], [], [{ name: id }]] },
          )
        }
      }),
    )
  },
)

onBothEngines('values keep their kind', async (_, { store }) => {
  const id = newId()
  const content = new Uint8Array(300).map((_, index) => index)
  const insert = statement(
    'body.put',
    'insert into body (id, size, content, location, release_at, created_at) values ($1, $2, $3, $4, $5, {now})',
  )
  const before = Date.now()
  await store.commit([
    { statement: insert, params: [id, 1_795_000_000_123, content.subarray(1), 'Grüße ✉', null], rows: 1 },
  ])
  type Row = {
    size: number
    content: Uint8Array
    location: string
    release_at: null
    created_at: number
    n: number
  }
  const select: Statement<Row> = statement<Row>(
    'body.values',
    'select size, content, location, release_at, created_at, (select count(*) from body) as n from body where id = $1',
  )
  for (const row of [await store.get(select, [id]), (await store.all(select, [id]))[0]]) {
    assert.ok(row)
    assert.deepEqual([row.size, row.location, row.release_at, row.n], [1_795_000_000_123, 'Grüße ✉', null, 1])
    assert.deepEqual(Buffer.from(row.content), Buffer.from(content.subarray(1)))
    assert.ok(Math.abs(row.created_at - before) < 60_000 && Number.isInteger(row.created_at))
  }
})

onBothEngines('truth is 0 or 1', async (_, { store }) => {
  const compare = statement<{ same: number; other: number }>(
    'compare',
    'select 1 = 1 as same, 1 = 2 as other',
  )
  assert.deepEqual(await store.get(compare, []), { same: 1, other: 0 })
})

onBothEngines(
  'a wrong number or kind of parameters is refused before anything is written',
  async (_, { store }) => {
    const id = newId()
    await assert.rejects(
      store.commit([account(id), { statement: renameAccount, params: [id] }]),
      /takes 2 parameters and got 1/,
    )
    await assert.rejects(store.get(selectAccount, []), /takes 1 parameters and got 0/)
    await assert.rejects(store.all(selectAccount, [id, id]), /takes 1 parameters and got 2/)
    for (const odd of [undefined, true, Number.NaN, 5n] as unknown as string[]) {
      await assert.rejects(store.commit([account(id), rename(id, odd)]), { name: 'TypeError' })
    }
    assert.equal(await countOf(store), 0)
    assert.equal((await store.commit([account(id)])).ok, true)
  },
)

onBothEngines('SQL that does not parse fails its own set, each time', async (_, { store }) => {
  const nonsense = statement('nonsense', 'insert into nowhere values ($1)')
  for (let i = 0; i < 2; i++) {
    const id = newId()
    const both = await Promise.allSettled([
      store.commit([account(id), { statement: nonsense, params: ['x'] }]),
      store.commit([account(newId())]),
    ])
    assert.deepEqual(
      both.map(({ status }) => status),
      ['rejected', 'fulfilled'],
    )
    assert.equal(await store.get(selectAccount, [id]), undefined)
  }
  await assert.rejects(store.all(statement('nonsense.read', 'select * from nowhere'), []), {
    name: 'StatementFailed',
  })
})

onBothEngines(
  'sets that are under way when the store closes are answered; later ones are refused',
  async (_, open) => {
    const commits = Array.from({ length: 20 }, () => open.store.commit([account(newId())]))
    const closing = open.close()
    await assert.rejects(open.store.commit([account(newId())]), /closed/)
    assert.ok((await Promise.all(commits)).every(({ ok }) => ok))
    await closing
    assert.equal(await countOf(await open.reopen()), 20)
  },
)

onBothEngines('an empty set commits', async (_, { store }) => {
  assert.deepEqual(await store.commit([]), { ok: true, rows: [] })
})
