import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { acceptedMember } from '#test/accepted-member.ts'
import { type ApiOperation, OPERATIONS, pathWith } from '#test/api-operations.ts'
import { type Browser, developmentBrowser } from '#test/http-browser.ts'
import { type Instance, startInstance } from '#test/instance.ts'

/** Every operation of the API, asked by people who are signed in: by role, by one who was taken out, by one of nowhere,
 *  and by a page that has the cookie and not the token. */
let instance: Instance
let member: Browser
let former: Browser

before(async () => {
  instance = await startInstance()
  member = await acceptedMember(instance, 'member@example.com', 'member')
  former = await acceptedMember(instance, 'former@example.com', 'member')
  const list = await (await admin()).ask<{ id: string; user: { email: string } }[]>('GET', members())
  const id = list.result.find(({ user }) => user.email === 'former@example.com')?.id
  assert.equal((await (await admin()).ask('DELETE', `${members()}/${id}`)).status, 200)
})
after(async () => instance[Symbol.asyncDispose]())

const admin = () => developmentBrowser(instance)
const members = () => `/client/v4/accounts/${instance.dev.account_id}/members`

/** With ids of things that are not there, so that nothing is changed for the next. */
const pathOf = (operation: ApiOperation) =>
  pathWith(operation, (name) =>
    name === 'account_id' || (name === 'zone_id' && operation.id !== 'zones.delete')
      ? instance.dev[name]
      : 'f'.repeat(32),
  )

/** A body that no operation takes. */
const wrong = (operation: ApiOperation) => (operation.method === 'GET' ? {} : { body: ['wrong'] })

const permissionOf = (operation: ApiOperation): unknown => Reflect.get(operation.documented, 'x-permission')

for (const operation of OPERATIONS) {
  const { id, method, base } = operation
  const isOperators = base.startsWith('/operator')
  const administers = String(permissionOf(operation)).startsWith('Account Settings:')

  test(`${id}, asked by a member`, async () => {
    const answer = await member.ask(method, pathOf(operation), wrong(operation))
    if (isOperators) assert.deepEqual([answer.status, answer.error.code], [403, 10102], answer.text)
    else if (administers) assert.deepEqual([answer.status, answer.error.code], [403, 9109], answer.text)
    else assert.ok(answer.status !== 403 && answer.status < 500, `${answer.status} ${answer.text}`)
  })

  test(`${id}, asked by somebody who was taken out`, async () => {
    const answer = await former.ask(method, pathOf(operation), wrong(operation))
    const isOfPlace = /\{(?:account|zone)_id\}/.test(operation.path)
    if (isOperators || !isOfPlace) assert.ok(answer.status < 500 && (!isOperators || answer.status === 403))
    else assert.ok([401, 404].includes(answer.status), `${answer.status} ${answer.text}`)
  })

  if (method !== 'GET')
    test(`${id}, asked by a page that has the cookie alone`, async () => {
      const browser = await admin()
      for (const headers of [
        { 'x-csrf-token': undefined },
        { origin: 'http://localhost:1' },
        { origin: undefined, 'sec-fetch-site': 'same-site' },
        { origin: undefined },
      ]) {
        const answer = await browser.ask(method, pathOf(operation), { ...wrong(operation), headers })
        assert.equal(answer.status, 403, `${JSON.stringify(headers)}: ${answer.text}`)
        assert.ok([10102, 10103].includes(answer.error.code), answer.text)
      }
    })
}
