import type { Operation } from '#contract/operation.ts'
import type { Fault } from './fault.ts'
import { readJson } from './read-json.ts'

/** The query and the body of a request in the shapes that its operation declares, or the fault that names the field. */
export function readOperation<Query, Body>(
  query: unknown,
  body: unknown,
  operation: Operation<Query, Body>,
): { readonly query: Query; readonly body: Body } | { readonly fault: Fault } {
  const asked = readQuery(query, operation)
  if ('fault' in asked) return asked
  const sent = readBody(body, operation)
  return 'fault' in sent ? sent : { query: asked.value, body: sent.value }
}

/** No text of this API has a NUL in it, and PostgreSQL takes none. */
export function holdsNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0')
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(value).some(([key, inner]) => key.includes('\0') || holdsNul(inner))
}

type Read<T> = { readonly value: T } | { readonly fault: Fault }

function readQuery<Query>(given: unknown, { query }: Operation<Query>): Read<Query> {
  // Without a shape the handler looks at none.
  if (!query) return { value: undefined as Query }
  const parsed = query.safeParse(given)
  if (parsed.success && !holdsNul(parsed.data)) return { value: parsed.data }
  const [issue] = parsed.success ? [] : parsed.error.issues
  const name = issue?.path.join('.') ?? ''
  const detail = issue
    ? `The query parameter '${name}': ${issue.message}.`
    : 'A query parameter holds a NUL character.'
  return { fault: { status: 400, code: 1004, message: 'Invalid query', detail, pointer: `?${name}` } }
}

function readBody<Body>(
  given: unknown,
  { body, bodyMayBeMissing = false, bodyTypes, mostTokens }: Operation<unknown, Body>,
): Read<Body> {
  if (!body) return { value: undefined as Body }
  // What is no JSON is declared as octets.
  if (bodyTypes) return { value: (Buffer.isBuffer(given) ? given : Buffer.alloc(0)) as Body }
  const missing = !Buffer.isBuffer(given) || given.length === 0
  const read = readJson(missing && bodyMayBeMissing ? Buffer.from('{}') : given, body, {}, mostTokens)
  if (!read.ok) return { fault: invalid(read.refusal) }
  if (holdsNul(read.value)) return { fault: invalid({ detail: 'The body holds a NUL character.' }) }
  return { value: read.value }
}

function invalid({ detail, pointer }: { readonly detail: string; readonly pointer?: string }): Fault {
  const message = 'Request body is invalid'
  return { status: 400, code: 1001, message, detail, ...(pointer !== undefined && { pointer }) }
}
