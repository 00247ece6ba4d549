/** What is wrong with a query. Clients choose by the status; the code is the API's own word for it. */
const KINDS = {
  /** It cannot be read, or is no query of this schema. */
  malformed: { status: 400, code: 'query' },
  /** An argument has no good value. */
  arguments: { status: 400, code: 'args' },
  /** It asks for more than one query may. */
  limit: { status: 400, code: 'quota' },
  forbidden: { status: 403, code: 'authz' },
  /** It was ended because it took too much. */
  consumed: { status: 429, code: 'budget' },
} as const

export type FaultKind = keyof typeof KINDS

/** Thrown by what reads and answers a query, since that is how a resolver says no; `answerQuery` turns it into a value. */
export class QueryFault extends Error {
  override readonly name = 'QueryFault'
  readonly status: (typeof KINDS)[FaultKind]['status']
  readonly code: (typeof KINDS)[FaultKind]['code']

  constructor(kind: FaultKind, message: string) {
    super(message)
    this.status = KINDS[kind].status
    this.code = KINDS[kind].code
  }
}
