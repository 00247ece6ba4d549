import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { DOCUMENTS, OPERATIONS } from '#test/api-operations.ts'
import { mismatch } from '#test/json-schema.ts'
import { openApi } from './openapi.ts'
import { operation } from './operation.ts'
import { OPERATOR_RESOURCES, RESOURCES } from './resources.ts'
import { ACCOUNT_SURFACE } from './surfaces.ts'

const declared = [...RESOURCES, ...OPERATOR_RESOURCES].flatMap(({ operations }) => operations)

test('every operation has an id of its own and is in a document', () => {
  assert.deepEqual(OPERATIONS.map(({ id }) => id).sort(), [...new Set(declared.map(({ id }) => id))].sort())
  assert.equal(new Set(OPERATIONS.map(({ id }) => id)).size, declared.length)
  for (const { id } of declared) assert.match(id, /^[a-z_]+(?:\.[a-z_]+)+$/)
})

test('every reference leads somewhere, and every schema with a name is used', () => {
  for (const document of DOCUMENTS) {
    const text = JSON.stringify(document)
    const references = [...text.matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)]
    for (const [, kind = '', name = ''] of references) {
      const components: Readonly<Record<string, object>> = document.components
      assert.ok(Object.hasOwn(components[kind] ?? {}, name), `${kind}/${name}`)
    }
    const used = new Set(references.map(([, , name]) => name))
    const unused = Object.keys(document.components.schemas).filter((name) => !used.has(name))
    assert.deepEqual(unused, [])
  }
})

test('the parameters of each path are described, and nothing else is said to be in the path', () => {
  for (const { id, parameters, documented } of OPERATIONS) {
    const described = documented.parameters.filter((parameter) => parameter.in === 'path')
    assert.deepEqual(
      described.map(({ name }) => name),
      parameters,
      id,
    )
    for (const { name, description = '' } of described) assert.ok(description.length > 5, `${id}: ${name}`)
  }
})

test('whoever reads it learns who may ask', () => {
  for (const { id, documented } of OPERATIONS) {
    assert.match(documented.summary, /^[A-Z].*\.$/s, id)
    const permission = documented['x-permission']
    if (permission !== null) assert.ok(documented.description.includes(permission.replace(':', ': ')), id)
    assert.ok(documented.responses['401'] && documented.responses['403'], id)
  }
})

for (const { id, body } of declared) {
  if (!body) continue
  test(`${id}: the document has an example that the door takes, and that fits its own schema`, () => {
    const described = OPERATIONS.find((each) => each.id === id)
    assert.ok(described?.example, 'give the body an example by .meta({ examples: [...] })')
    const read = body.safeParse(described.example.body)
    assert.ok(read.success, read.error?.message ?? '')
    const schema =
      described.documented.requestBody?.content[described.example.type.split(';', 1)[0] ?? '']?.schema
    const references = described.document.components.schemas
    const reading = { references, unknownFields: 'allowed' } as const
    assert.equal(mismatch(schema ?? {}, described.example.body, reading), undefined)
  })
}

const about = { method: 'GET', path: '/x', summary: 'X.', permission: 'none', scope: 'user' } as const

function documentOf(...operations: readonly ReturnType<typeof operation>[]) {
  return openApi({ ...ACCOUNT_SURFACE, resources: [{ name: 'X', about: 'X.', operations }] })
}

test('a route that two operations have, or a name that two schemas have, is a bug', () => {
  const result = z.string()
  const first = operation({ ...about, id: 'x.one', result })
  assert.throws(() => documentOf(first, operation({ ...about, id: 'x.other', result })), /declared twice/)
  // What is read may lack the field, what is answered has it.
  const both = z.object({ a: z.string().default('x') }).meta({ id: 'Both' })
  const post = operation({ ...about, id: 'x.post', method: 'POST', body: both, result: both })
  assert.doesNotThrow(() => documentOf(operation({ ...post, result })))
  const wrapped = { body: z.object({ both }), result: z.object({ both }) }
  assert.throws(() => documentOf(operation({ ...post, ...wrapped })), /the name Both/)
})

test('answers may get fields, what is sent may not where the door takes no others', () => {
  const shape = z.strictObject({ a: z.string() })
  const document = documentOf(
    operation({ ...about, id: 'x.post', method: 'POST', body: shape, result: shape }),
  )
  const post = document.paths['/x']?.['post']
  assert.equal(post?.requestBody?.content['application/json']?.schema.additionalProperties, false)
  assert.doesNotMatch(JSON.stringify(post?.responses), /additionalProperties/)
})
