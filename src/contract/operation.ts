import type { z } from 'zod'
import type { Permission } from '#model/permission.ts'

/** One operation of the API as everybody sees it: the door that serves it, the document that describes it, the tests
 *  that try it with the wrong token. */
export interface Operation<Query = unknown, Body = unknown, Result = unknown> {
  /** Unique, `resource.verb`: `dns_records.create`. */
  readonly id: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below /client/v4 (an installation's: below /operator/v1), parameters as `{zone_id}`. */
  readonly path: `/${string}`
  /** One sentence, for the reader of the document. */
  readonly summary: string
  /** What the token needs; `none`: any token that works. */
  readonly permission: Permission | 'none'
  /** Whose it is: `{account_id}` or `{zone_id}` of the path, the token's own user, or the operator's, whose token is
   *  another. */
  readonly scope: 'account' | 'zone' | 'user' | 'installation'
  /** The permission in one of the account's zones is enough to be let in; what is asked for is checked against its
   *  zone. */
  readonly inSomeZone?: true
  /** Its errors have the numbers of the page about sending (sending-rest-api.md) in place of the control plane's. The
   *  operator's have them always. */
  readonly codes?: 'sending'
  /** The errors of its own, besides those that every operation has. */
  readonly refusals?: readonly (409 | 422)[]
  readonly query?: z.ZodType<Query>
  /** Absent: the operation takes no body, and passes over one that is sent. */
  readonly body?: z.ZodType<Body>
  /** Repeated with the same Idempotency-Key it is done once. */
  readonly repeatable?: true
  /** Commas, colons and brackets that its JSON may have, where it may have more than that of others. */
  readonly mostTokens?: number
  /** A request without a body stands for `{}`. */
  readonly bodyMayBeMissing?: boolean
  /** What the body is in place of JSON: its handler gets the octets (`octets.ts`). */
  readonly bodyTypes?: readonly string[]
  readonly result: z.ZodType<Result>
  /** What an answer of 200 is in place of the envelope. */
  readonly resultTypes?: readonly string[]
  /** `result` is in no envelope, and what its handler refuses has the same shape. What is refused before has the
   *  envelope. */
  readonly ownShape?: true
  /** How a list goes on: by page and per_page, by cursor, or not at all, which clients are told as one page. */
  readonly paging?: 'pages' | 'cursor' | 'single'
}

export function operation<Query, Body, Result>(
  described: Operation<Query, Body, Result>,
): Operation<Query, Body, Result> {
  return described
}
