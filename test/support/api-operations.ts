import { type DocumentedOperation, type OpenApi, openApi } from '#contract/openapi.ts'
import { ACCOUNT_SURFACE, OPERATOR_SURFACE } from '#contract/surfaces.ts'

/** The two documents, read back as whoever fetches them gets them. */
export const DOCUMENTS: readonly OpenApi[] = [ACCOUNT_SURFACE, OPERATOR_SURFACE].map(
  // It was written as JSON of this shape.
  (surface) => JSON.parse(JSON.stringify(openApi(surface))) as OpenApi,
)

/** An operation as the document has it. */
export interface ApiOperation {
  readonly id: string
  readonly method: string
  /** Below `base`, with its parameters in braces. */
  readonly path: string
  /** The path of the API: `/client/v4`. */
  readonly base: string
  readonly parameters: readonly string[]
  readonly documented: DocumentedOperation
  readonly document: OpenApi
  /** A body that it takes, where it takes one, and of what kind that is. */
  readonly example: { readonly type: string; readonly body: unknown } | undefined
}

export const OPERATIONS: readonly ApiOperation[] = DOCUMENTS.flatMap((document) =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, documented]) => ({
      ...{ id: documented.operationId, method: method.toUpperCase(), path, documented, document },
      base: document.servers[0]?.url ?? '',
      parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name),
      example: exampleOf(documented),
    })),
  ),
)

function exampleOf({ requestBody }: DocumentedOperation): ApiOperation['example'] {
  const [type, content] = Object.entries(requestBody?.content ?? {})[0] ?? []
  const [body] = content?.schema.examples ?? []
  if (type === undefined || body === undefined) return undefined
  // A form is what its boundary says.
  const isForm = type === 'multipart/form-data' && typeof body === 'string'
  const [, boundary] = isForm ? (/^--(\S+)/.exec(body) ?? []) : []
  return { type: boundary === undefined ? type : `${type}; boundary=${boundary}`, body }
}

/** The path with a value in place of each parameter. */
export function pathWith({ base, path }: ApiOperation, value: (parameter: string) => string): string {
  return base + path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(value(name)))
}

const PATTERNS = OPERATIONS.map((operation) => ({
  operation,
  pattern: new RegExp(`^${operation.base}${operation.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
}))
  // What a path says outright counts before a parameter that would take it.
  .sort((a, b) => a.operation.parameters.length - b.operation.parameters.length)

/** The operation that a request is for. */
export function operationOf(method: string, path: string): ApiOperation | undefined {
  return PATTERNS.find(({ operation, pattern }) => operation.method === method && pattern.test(path))
    ?.operation
}
