import type { z } from 'zod'
import type { Permission } from '#model/permission.ts'

/** One operation of the API as everybody sees it: the door that serves it, the document that describes it, the tests
 *  that try it with the wrong token. */
export interface Operation<Query = unknown, Body = unknown, Result = unknown> {
  /** Unique, `resource.verb`: `dns_records.create`. */
  readonly id: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below /client/v4, parameters as `{zone_id}`. */
  readonly path: `/${string}`
  /** One sentence, for the reader of the document. */
  readonly summary: string
  /** What the token needs; `none`: any token that works. */
  readonly permission: Permission | 'none'
  /** Whose it is: `{account_id}` or `{zone_id}` of the path, or the token's own user. */
  readonly scope: 'account' | 'zone' | 'user'
  readonly query?: z.ZodType<Query>
  /** Absent: the operation takes no body, and passes over one that is sent. */
  readonly body?: z.ZodType<Body>
  /** A request without a body stands for `{}`. */
  readonly bodyMayBeMissing?: boolean
  readonly result: z.ZodType<Result>
  /** How a list goes on: by page and per_page, or by cursor. */
  readonly paging?: 'pages' | 'cursor'
}

export function operation<Query, Body, Result>(
  described: Operation<Query, Body, Result>,
): Operation<Query, Body, Result> {
  return described
}
