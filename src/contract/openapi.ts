import { componentSchemas, type JsonSchema, type SchemaBook } from './component-schemas.ts'
import { apiError } from './envelope.ts'
import { CONTROL_PLANE_ERRORS, type ErrorAnswers, inWords, SENDING_ERRORS } from './error-answers.ts'
import type { Operation } from './operation.ts'
import { cursorInfo, resultInfo } from './paging.ts'
import type { Resource } from './resources.ts'

/** The API as a document of OpenAPI 3.1, made from what the door itself goes by. In: resources. Out: plain JSON, the same
 *  for the same resources. Promise: every operation is in it, with what it takes, what it answers and who may ask. */
export interface OpenApi {
  readonly openapi: '3.1.1'
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly servers: readonly { readonly url: string }[]
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>
    readonly responses: Readonly<Record<string, DocumentedResponse>>
    readonly securitySchemes: Readonly<Record<string, Readonly<Record<string, string>>>>
  }
}

export interface DocumentedOperation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description: string
  /** The permission that the token needs, null for any token that works; and whose it is. */
  readonly 'x-permission': string | null
  readonly 'x-scope': Operation['scope']
  readonly parameters: readonly DocumentedParameter[]
  readonly requestBody?: { readonly required: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, DocumentedResponse | { readonly $ref: string }>>
}

export interface DocumentedParameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly description?: string
  readonly schema: JsonSchema
}

export interface DocumentedResponse {
  readonly description: string
  readonly content: Content
}

type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>

/** Which of the two APIs: that of accounts, or that of the operator. */
export interface Surface {
  readonly title: string
  readonly about: string
  /** The path below which it is. */
  readonly base: string
  readonly resources: readonly Resource[]
  readonly securitySchemes: OpenApi['components']['securitySchemes']
  readonly security: OpenApi['security']
}

export function openApi(surface: Surface): OpenApi {
  const { title, about, base, resources, security, securitySchemes } = surface
  const book = componentSchemas()
  const paths: Record<string, Record<string, DocumentedOperation>> = {}
  for (const { name, operations } of resources) {
    for (const operation of operations) {
      const methods = (paths[operation.path] ??= {})
      const method = operation.method.toLowerCase()
      if (methods[method]) throw new TypeError(`${operation.method} ${operation.path} is declared twice`)
      methods[method] = documented(operation, name, book)
    }
  }
  const error = errorEnvelope(book)
  return {
    openapi: '3.1.1',
    info: { title, version: '4', description: about },
    servers: [{ url: base }],
    tags: resources.map(({ name, about: description }) => ({ name, description })),
    security,
    paths,
    components: {
      schemas: { ...book.schemas(), ErrorEnvelope: error },
      responses: responsesOf(resources),
      securitySchemes,
    },
  }
}

function documented(operation: Operation, tag: string, book: SchemaBook): DocumentedOperation {
  const { id, summary, permission, scope } = operation
  const body = requestBody(operation, book)
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: whoMayAsk(operation),
    'x-permission': permission === 'none' ? null : permission,
    'x-scope': scope,
    parameters: [
      ...pathParameters(operation),
      ...queryParameters(operation, book),
      ...(operation.repeatable ? [IDEMPOTENCY_KEY] : []),
    ],
    ...(body && { requestBody: body }),
    responses: { 200: success(operation, book), ...errorResponses(operation, book) },
  }
}

function whoMayAsk({ permission, scope, inSomeZone, path }: Operation): string {
  if (scope === 'installation') return 'Needs the token of the operator.'
  if (permission === 'none') return 'Any API token that works may ask, and sees what it may.'
  // As the original writes it, and as its dashboard and ours offer it.
  const name = permission.replace(':', ': ')
  const place = {
    account: inSomeZone ? 'in the account, or in the zone that it is about' : 'in the account',
    zone: 'in the zone, or in its account',
    user: path.startsWith('/user') ? 'over the user' : 'in the account that it is about',
  }[scope]
  return `Needs an API token with the permission “${name}” ${place}.`
}

function pathParameters({ path }: Operation): DocumentedParameter[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path' as const,
    required: true,
    description: PARAMETERS[name]?.description ?? `The id of the ${plainName(name)}`,
    schema: PARAMETERS[name]?.schema ?? { type: 'string' },
  }))
}

function plainName(parameter: string): string {
  return parameter.replace(/_(?:id|identifier)$/, '').replaceAll('_', ' ')
}

const HEX_ID: JsonSchema = { type: 'string', pattern: '^[0-9a-fA-F]{32}$' }
const PARAMETERS: Readonly<Record<string, { readonly description: string; readonly schema: JsonSchema }>> = {
  account_id: { description: 'The id of the account', schema: HEX_ID },
  zone_id: { description: 'The id of the zone', schema: HEX_ID },
  suppression_id: { description: 'The id of the entry', schema: { type: 'string', format: 'uuid' } },
  message_id: {
    description: 'The Message-ID, with or without its angle brackets, or its part before the @',
    schema: { type: 'string' },
  },
  pause_kind: {
    description: 'What rests',
    schema: { type: 'string', enum: ['domain', 'host'] },
  },
  pause_name: { description: 'The name of the domain or host', schema: { type: 'string' } },
}

function queryParameters({ query }: Operation, book: SchemaBook): DocumentedParameter[] {
  if (!query) return []
  const { properties = {}, required = [] } = book.inline(query, 'input')
  return Object.entries(properties).map(([name, property]) => {
    if (typeof property === 'boolean') throw new TypeError(`the query parameter ${name} has no schema`)
    const { description, ...schema } = property
    return {
      name,
      in: 'query' as const,
      required: required.includes(name),
      ...(description !== undefined && { description }),
      schema,
    }
  })
}

const IDEMPOTENCY_KEY: DocumentedParameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'A request that is repeated with the same key and body within 24 hours is the same message, and is answered with its present state',
  schema: { type: 'string', pattern: '^[ -~]{1,255}$' },
}

function requestBody(
  { body, bodyMayBeMissing = false, bodyTypes = ['application/json'] }: Operation,
  book: SchemaBook,
): DocumentedOperation['requestBody'] {
  if (!body) return undefined
  const schema = book.inline(body, 'input')
  return { required: !bodyMayBeMissing, content: contentOf(bodyTypes, schema) }
}

function contentOf(types: readonly string[], schema: JsonSchema): Content {
  return Object.fromEntries(types.map((type) => [type, { schema }]))
}

function success(operation: Operation, book: SchemaBook): DocumentedResponse {
  const { result, resultTypes, ownShape } = operation
  const description = 'It was done.'
  if (ownShape)
    return { description, content: contentOf(['application/json'], book.inline(result, 'output')) }
  if (resultTypes) return { description, content: contentOf(resultTypes, { type: 'string' }) }
  const envelope = envelopeOf(operation, book.inline(result, 'output'), book)
  return { description, content: contentOf(['application/json'], envelope) }
}

function envelopeOf({ paging }: Operation, result: JsonSchema, book: SchemaBook): JsonSchema {
  const info = paging && book.inline(paging === 'cursor' ? cursorInfo : resultInfo, 'output')
  return {
    type: 'object',
    properties: {
      success: { type: 'boolean', const: true },
      errors: { type: 'array', maxItems: 0 },
      messages: MESSAGES,
      result,
      ...(info && { result_info: info }),
    },
    required: ['success', 'errors', 'messages', 'result', ...(info ? ['result_info'] : [])],
  }
}

const MESSAGES: JsonSchema = {
  type: 'array',
  items: {
    type: 'object',
    properties: { code: { type: 'integer' }, message: { type: 'string' }, type: { type: 'null' } },
    required: ['code', 'message'],
  },
}

function errorEnvelope(book: SchemaBook): JsonSchema {
  return {
    type: 'object',
    properties: {
      success: { type: 'boolean', const: false },
      errors: { type: 'array', items: book.inline(apiError, 'output'), minItems: 1 },
      messages: { type: 'array', maxItems: 0 },
      result: { type: 'null' },
    },
    required: ['success', 'errors', 'messages', 'result'],
  }
}

function errorsOf({ codes, scope }: Pick<Operation, 'codes' | 'scope'>): ErrorAnswers {
  return codes === 'sending' || scope === 'installation' ? SENDING_ERRORS : CONTROL_PLANE_ERRORS
}

/** The statuses that can be: only what has a name can be missing. */
function errorResponses(operation: Operation, book: SchemaBook): DocumentedOperation['responses'] {
  const { prefix, statuses } = errorsOf(operation)
  const { scope, path, refusals = [], repeatable } = operation
  const rare = new Set<number>([...refusals, ...(repeatable ? [409] : [])])
  const named = scope === 'account' || scope === 'zone' || path.includes('{') || operation.body !== undefined
  const possible = Object.entries(statuses).filter(
    ([status, meanings]) =>
      meanings.length > 0 &&
      (status !== '404' || named) &&
      ((status !== '409' && status !== '422') || rare.has(Number(status))),
  )
  return Object.fromEntries(
    possible.map(([status, meanings]) => [
      status,
      operation.ownShape
        ? {
            description: inWords(meanings),
            content: contentOf(['application/json'], {
              anyOf: [ERROR_ENVELOPE, book.inline(operation.result, 'output')],
            }),
          }
        : { $ref: `#/components/responses/${prefix}${status}` },
    ]),
  )
}

const ERROR_ENVELOPE: JsonSchema = { $ref: '#/components/schemas/ErrorEnvelope' }

function responsesOf(resources: readonly Resource[]): OpenApi['components']['responses'] {
  const used = new Set(resources.flatMap(({ operations }) => operations.map(errorsOf)))
  return Object.fromEntries(
    [...used].flatMap(({ prefix, statuses }) =>
      Object.entries(statuses).flatMap(([status, meanings]) =>
        meanings.length === 0
          ? []
          : [
              [
                `${prefix}${status}`,
                { description: inWords(meanings), content: contentOf(['application/json'], ERROR_ENVELOPE) },
              ],
            ],
      ),
    ),
  )
}
