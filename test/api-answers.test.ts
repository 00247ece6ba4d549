import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type ApiOperation, OPERATIONS, pathWith } from '#test/api-operations.ts'
import { checkedFetch } from '#test/checked-fetch.ts'
import { type EveryObject, everyObject, withAccount } from '#test/every-object.ts'
import { type Instance, startInstance } from '#test/instance.ts'

/** Every operation of the documents is asked once, with the example of the document as its body, and answers 200 with
 *  what the document says. */
let instance: Instance
let objects: EveryObject

before(async () => {
  instance = await startInstance()
  objects = await everyObject(instance)
})
after(async () => instance[Symbol.asyncDispose]())

const QUERIES: Readonly<Record<string, string>> = {
  'deliverability.get': '?recipient=user@example.com&from=app@yourdomain.com',
}

/** Where the example would take away what other operations are about: it hands the zone's records to its owner. */
const BODIES: Readonly<Record<string, unknown>> = { 'zones.edit': { type: 'full' } }

/** What is made and changed first, then what reads, then what removes: what depends on another thing before that. */
function inOrder(operations: readonly ApiOperation[]): readonly ApiOperation[] {
  const reads = operations.filter(({ method }) => method === 'GET')
  const removes = operations.filter(({ method }) => method === 'DELETE')
  const changes = operations.filter(({ method }) => method !== 'GET' && method !== 'DELETE')
  return [...changes, ...reads, ...removes.toReversed()]
}

for (const operation of inOrder(OPERATIONS)) {
  test(`${operation.id}: ${operation.method} ${operation.path}`, async () => {
    const { method, example } = operation
    const path = pathWith(operation, (parameter) => objects.id(parameter, operation))
    const body = withAccount(
      objects.named(BODIES[operation.id] ?? example?.body ?? null),
      instance.dev.account_id,
    )
    const response = await checkedFetch(`${instance.dev.dashboard}${path}${QUERIES[operation.id] ?? ''}`, {
      method,
      headers: {
        authorization: `Bearer ${objects.secretFor(operation)}`,
        ...(example && { 'content-type': example.type }),
      },
      ...(example && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    assert.equal(response.status, 200, await response.text())
  })
}
