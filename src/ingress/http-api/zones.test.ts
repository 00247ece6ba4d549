import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import Fastify from 'fastify'
import { serviceNames } from '#model/service.ts'
import { openLog } from '#observe/log.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { auditLines } from '#registry/accounts/audit-log.ts'
import { openDomains } from '#registry/domains/domains.ts'
import { LOOPBACK_ADDRESSES } from '#registry/domains/service-zone.ts'
import { openAccount } from '#test/control-plane.ts'
import { onBothEngines } from '#test/stores.ts'
import { openVault } from '#vault/vault.ts'
import { zoneRoutes } from './zones.ts'

const NAME = 'shop.example'

onBothEngines('of a zone that passes on, who had it does not learn who has it now', async (t, { store }) => {
  let now = 1_800_000_000_000
  const clock = () => now
  const accounts = openAccounts({ store, clock })
  const log = openLog('silent')
  let published = ''
  const domains = openDomains({
    ...{ store, vault: openVault(randomBytes(32)), clock },
    ...{ service: serviceNames('posthorn.test'), addresses: LOOPBACK_ADDRESSES },
    ownership: {
      txt: async () => ({ kind: 'found', records: [published], ttlSeconds: 60 }),
      delegation: async () => ({ kind: 'no-such-name' }),
    },
  })
  const app = Fastify()
  t.after(() => app.close())
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  const accountOfZone = (zoneId: string) => domains.accountOfZone(zoneId)
  zoneRoutes(app, { accounts, log, accountOfZone, domains, mailSetup: { mend: async () => [] } })

  async function claim(name: string) {
    const { account, ofUser } = await openAccount({ accounts }, name)
    const headers = { authorization: `Bearer ${ofUser.secret}`, 'content-type': 'application/json' }
    const payload = JSON.stringify({ name: NAME, account: { id: account } })
    const made = await app.inject({ method: 'POST', url: '/zones', headers, payload })
    const { id, verification_key: proof } = made.json<{
      result: { id: string; verification_key: string }
    }>().result
    const prove = async () => {
      published = proof
      now += 61_000
      await app.inject({
        ...{ method: 'PUT', url: `/zones/${id}/activation_check` },
        headers: { authorization: headers.authorization },
      })
      assert.equal((await domains.zone(account, id))?.status, 'active')
    }
    return { account, prove }
  }
  const first = await claim('first')
  const second = await claim('second')
  await first.prove()
  await second.prove()

  const page = { limit: 10, ascending: true, from: 0 }
  const told = async (account: string) =>
    (await auditLines(store, account, { withoutUserLevel: false }, page)).map(({ action, actor }) => [
      ...[action, actor.type, actor.email, actor.address],
    ])
  const by = (name: string) => ['user', `${name}@example.com`, '127.0.0.1']
  assert.deepEqual(await told(first.account), [
    ['zone.create', ...by('first')],
    ['zone.activate', ...by('first')],
    ['zone.deactivate', 'system', null, ''],
  ])
  assert.deepEqual(await told(second.account), [
    ['zone.create', ...by('second')],
    ['zone.activate', ...by('second')],
  ])
})
