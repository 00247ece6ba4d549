import type { DocumentedResponse } from '#contract/openapi.ts'
import { type ApiOperation, operationOf } from './api-operations.ts'
import { mismatch } from './json-schema.ts'

/** `fetch` that holds every answer of the API against the document: its status, its type, each of its fields. What does
 *  not fit fails the call, and, since a client may turn that into an error of its own, the whole file as well. */
export const checkedFetch: typeof fetch = async (input, init) => {
  const response = await read(await fetch(input, init))
  const method = init?.method ?? (input instanceof Request ? input.method : 'GET')
  const { pathname, searchParams } = new URL(input instanceof Request ? input.url : input)
  if (!/^\/(?:client\/v4|operator\/v1)\//.test(pathname) || method === 'HEAD') return response
  const operation = operationOf(method, pathname)
  const done = response.status === 200 && operation
  const wrong =
    (await answerFault(operation, response)) ??
    (done ? requestFault(operation, searchParams, init?.body) : undefined)
  if (wrong === undefined) return response
  const fault = `${method} ${pathname} answered ${response.status}: ${wrong}`
  faults.add(fault)
  throw new Error(fault)
}

/** The same answer, read to its end: a clone of one that is still arriving can wait for ever for its other half. */
async function read(response: Response): Promise<Response> {
  const { status, statusText, headers } = response
  const body = response.body === null ? null : await response.arrayBuffer()
  return new Response(body, { status, statusText, headers })
}

const faults = new Set<string>()

// Not a hook of the tests: one that fails keeps those of the file from closing what they opened.
process.once('exit', () => {
  for (const fault of faults) process.stderr.write(`${fault}\n`)
  if (faults.size > 0) process.exitCode = 1
})

/** What the document does not have of an answer; undefined where it has all of it. */
export async function answerFault(
  operation: ApiOperation | undefined,
  response: Response,
): Promise<string | undefined> {
  const status = String(response.status)
  if (!operation) {
    return response.status === 200 ? 'the document has no such operation' : undefined
  }
  const { document, documented } = operation
  const entry = documented.responses[status]
  if (!entry) return 'the document has no such status'
  const { content }: DocumentedResponse =
    '$ref' in entry
      ? (document.components.responses[entry.$ref.replace('#/components/responses/', '')] ??
        missing(entry.$ref))
      : entry
  const type = response.headers.get('content-type')?.split(';', 1)[0] ?? ''
  const shape = content[type]?.schema
  if (!shape) return `it is ${type || 'of no type'}, and the document has ${Object.keys(content).join(', ')}`
  if (type !== 'application/json' || shape.type === 'string') return undefined
  const references = document.components.schemas
  return mismatch(
    shape,
    await response.clone().json(),
    { references, unknownFields: 'refused' },
    'the answer',
  )
}

function missing(reference: string): never {
  throw new Error(`${reference} leads nowhere`)
}

/** What the document does not have of a request that was done. */
export function requestFault(
  { documented, document }: ApiOperation,
  query: URLSearchParams,
  body: unknown,
): string | undefined {
  const known = documented.parameters.map(({ name }) => name)
  const unknown = [...query.keys()].find((name) => !known.includes(name))
  if (unknown !== undefined) return `the document has no parameter ${unknown}`
  const schema = documented.requestBody?.content['application/json']?.schema
  if (!schema || schema.type === 'string' || typeof body !== 'string' || body === '') return undefined
  const references = document.components.schemas
  return mismatch(schema, JSON.parse(body), { references, unknownFields: 'allowed' }, 'the request')
}
