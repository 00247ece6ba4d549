import assert from 'node:assert/strict'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { openAccounts } from './accounts.ts'
import { addressRange } from './address-range.ts'
import { type AuditEntry, auditWrite } from './audit.ts'
import { type AuditFilter, type AuditPage, auditLines } from './audit-log.ts'

const ACCOUNT = 'a'.repeat(32)
const BY_TOKEN = { tokenId: 't'.repeat(32), address: '127.0.0.1' }

async function world(open: OpenStore) {
  const { store } = open
  let at = 1_800_000_000_000
  return {
    store,
    user: (await openAccounts({ store, clock: Date.now }).createUser('Admin@Example.com')).id,
    write: async (entry: Partial<AuditEntry>) => {
      at += 1000
      const basis = { accountId: ACCOUNT, actor: BY_TOKEN, action: 'rule.create', at }
      const made = await store.commit([
        auditWrite({ ...basis, resource: { type: 'rule', id: 'r' }, ...entry }),
      ])
      assert.ok(made.ok)
      return at
    },
    list: (filter: Partial<AuditFilter> = {}, page: Partial<AuditPage> = {}) =>
      auditLines(
        store,
        ACCOUNT,
        { withoutUserLevel: false, ...filter },
        { limit: 100, ascending: false, from: 0, ...page },
      ),
  }
}

onBothEngines('a line says who, what, when, from where, before and after', async (_t, open) => {
  const { write, list, user } = await world(open)
  const actor = { ...BY_TOKEN, userId: user }
  const at = await write({ actor, zone: 'example.com', before: { enabled: true }, after: { enabled: false } })
  await write({ actor: 'system', action: 'domain.drift' })
  const [system, line] = await list()
  assert.match(line?.id ?? '', /^[0-9a-f]{32}$/)
  assert.deepEqual(
    { ...line, id: '' },
    {
      id: '',
      accountId: ACCOUNT,
      at,
      action: 'rule.create',
      actor: {
        type: 'user',
        id: user,
        tokenId: BY_TOKEN.tokenId,
        email: 'Admin@Example.com',
        address: '127.0.0.1',
      },
      resource: { type: 'rule', id: 'r' },
      zone: 'example.com',
      before: '{"enabled":true}',
      after: '{"enabled":false}',
    },
  )
  assert.deepEqual(system?.actor, { type: 'system', id: 'system', tokenId: null, email: null, address: '' })
  assert.deepEqual([system.before, system.after], [null, null])
})

onBothEngines(
  'what is a secret by its name never gets in, and nothing gets in without end',
  async (_t, open) => {
    const { write, list } = await world(open)
    await write({
      after: { name: 'n', secret: 's3cr3t', inner: [{ password: 's3cr3t', privateKey: 's3cr3t' }] },
    })
    await write({ after: { text: 'x'.repeat(100_000) } })
    const [long, line] = await list()
    assert.equal(line?.after, '{"name":"n","inner":[{}]}')
    assert.ok((long?.after ?? '').length < 100)
  },
)

onBothEngines('an account reads its own lines, narrowed by each filter', async (_t, open) => {
  const { write, list, user } = await world(open)
  await write({ accountId: 'b'.repeat(32) })
  const first = await write({ action: 'rule.update', zone: 'example.com' })
  const second = await write({ actor: { ...BY_TOKEN, userId: user, address: '::1' }, userLevel: true })
  await write({ action: 'rule.delete' })
  const actions = async (filter: Partial<AuditFilter>) => (await list(filter)).map(({ action }) => action)
  assert.deepEqual(await actions({}), ['rule.delete', 'rule.create', 'rule.update'])
  assert.deepEqual(await actions({ action: 'rule.update' }), ['rule.update'])
  assert.deepEqual(await actions({ email: 'ADMIN@example.com' }), ['rule.create'])
  assert.deepEqual(await actions({ email: 'nobody@example.com' }), [])
  const from = (range: string) => actions({ addresses: addressRange(range) })
  assert.deepEqual(await from('127.0.0.1'), ['rule.delete', 'rule.update'])
  assert.deepEqual(await from('127.0.0.0/8'), ['rule.delete', 'rule.update'])
  assert.deepEqual(await from('::ffff:127.0.0.1'), ['rule.delete', 'rule.update'])
  assert.deepEqual(await from('::1/128'), ['rule.create'])
  assert.deepEqual(await from('10.0.0.0/8'), [])
  assert.deepEqual(await actions({ zone: 'example.com' }), ['rule.update'])
  assert.deepEqual(await actions({ since: second }), ['rule.delete', 'rule.create'])
  assert.deepEqual(await actions({ since: first, before: second }), ['rule.update'])
  assert.deepEqual(await actions({ withoutUserLevel: true }), ['rule.delete', 'rule.update'])
  const [line] = await list()
  assert.deepEqual(await actions({ id: line?.id }), ['rule.delete'])
  assert.deepEqual(await actions({ action: 'rule.update', zone: 'elsewhere.com' }), [])
})

onBothEngines(
  'a list goes on after any line, in both directions, also among lines of one moment',
  async (_t, open) => {
    const { write, list, store } = await world(open)
    for (let count = 0; count < 5; count++) await write({ at: 1000 })
    assert.equal(
      (await auditLines(store, ACCOUNT, { withoutUserLevel: false }, { limit: 2, ascending: true, from: 4 }))
        .length,
      1,
    )
    for (const ascending of [true, false]) {
      const all = await list({}, { ascending })
      const seen: string[] = []
      let from: AuditPage['from'] = 0
      for (;;) {
        const page = await list({}, { ascending, limit: 2, from })
        const last = page.at(-1)
        if (!last) break
        seen.push(...page.map(({ id }) => id))
        from = last
      }
      assert.deepEqual(
        seen,
        all.map(({ id }) => id),
      )
      assert.equal(seen.length, 5)
    }
  },
)
