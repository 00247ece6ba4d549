import assert from 'node:assert/strict'
import Fastify from 'fastify'
import { openLog } from '#observe/log.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { authenticate } from './authenticate.ts'

/** A door with one route, which answers with the account it admitted. */
async function door(open: OpenStore) {
  const accounts = openAccounts({ store: open.store, clock: Date.now })
  const app = Fastify()
  app.get<{ Params: { accountId: string } }>('/accounts/:accountId', async (request, reply) => {
    const { accountId } = request.params
    const ask = { accounts, log: openLog('silent'), accountId, permission: 'Email Sending:Edit' } as const
    const by = await authenticate(request, reply, ask)
    return by ? { accountId: by.accountId, accountName: by.accountName } : reply
  })
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return {
    accounts,
    ask: async (accountId: string, secret: string) => {
      const headers = { authorization: `Bearer ${secret}` }
      const response = await fetch(`${url}/accounts/${accountId}`, { headers })
      return { status: response.status, body: await response.json() }
    },
    [Symbol.asyncDispose]: () => app.close(),
  }
}

const sender = { name: 'ci', permissions: ['Email Sending:Edit'] } as const

onBothEngines(
  "a user's token acts in the account of the path, where its user is a member",
  async (_t, open) => {
    await using http = await door(open)
    const { accounts, ask } = http
    const one = await accounts.createAccount('One')
    const two = await accounts.createAccount('Two')
    const foreign = await accounts.createAccount('Foreign')
    const user = await accounts.createUser('user@example.com')
    await accounts.addMember(one.id, user.id)
    await accounts.addMember(two.id, user.id)
    const { id, secret } = await accounts.createUserToken(user.id, sender)

    for (const { id, name } of [one, two])
      assert.deepEqual(await ask(id, secret), { status: 200, body: { accountId: id, accountName: name } })
    assert.equal((await ask(one.id.toUpperCase(), secret)).status, 200)

    const nobodys = await ask('f'.repeat(32), secret)
    assert.equal(nobodys.status, 404)
    for (const path of [foreign.id, user.id, '%00', '%ff', "'", 'x'.repeat(90)]) {
      const answer = await ask(path, secret)
      // What is no URL is refused before anybody looks at the token.
      assert.equal(answer.status, path === '%ff' ? 400 : 404, path)
      if (path !== '%ff') assert.deepEqual(answer.body, nobodys.body)
    }

    assert.equal(await accounts.removeMember(two.id, user.id), true)
    assert.deepEqual(await ask(two.id, secret), nobodys)
    assert.equal((await ask(one.id, secret)).status, 200)

    assert.equal(await accounts.revokeUserToken(user.id, id), true)
    const revoked = await ask(one.id, secret)
    assert.equal(revoked.status, 401)
    assert.deepEqual(await ask(one.id, 'never-seen'), revoked)
    assert.deepEqual(await ask(foreign.id, secret), revoked)
  },
)

onBothEngines("a user's token lacks what it was not given, member or not", async (_t, open) => {
  await using http = await door(open)
  const account = await http.accounts.createAccount('One')
  const user = await http.accounts.createUser('user@example.com')
  await http.accounts.addMember(account.id, user.id)
  const { secret } = await http.accounts.createUserToken(user.id, {
    name: 'reader',
    permissions: ['Email Sending:Read'],
  })
  assert.equal((await http.ask(account.id, secret)).status, 403)
  assert.equal((await http.ask('f'.repeat(32), secret)).status, 404)
})

onBothEngines("an account's token acts in its own account only", async (_t, open) => {
  await using http = await door(open)
  const { accounts, ask } = http
  const one = await accounts.createAccount('One')
  const two = await accounts.createAccount('Two')
  const token = await accounts.createToken(one.id, sender)
  assert.equal((await ask(one.id, token.secret)).status, 200)
  const foreign = await ask(two.id, token.secret)
  assert.equal(foreign.status, 404)
  assert.deepEqual(await ask('f'.repeat(32), token.secret), foreign)
  await accounts.revokeToken(one.id, token.id)
  assert.equal((await ask(one.id, token.secret)).status, 401)
})
