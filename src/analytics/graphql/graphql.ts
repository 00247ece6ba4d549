/** The GraphQL API over history. In: a query as it came, and who asks. Out: an answer in the original's shape, with the
 *  status that belongs to it. Promise: nobody is told of another's mail; whatever a query holds, it is refused or answered
 *  within limits of time and memory; of an answer nothing is missing, and after an error there is none. */
import { randomBytes } from 'node:crypto'
import {
  type DocumentNode,
  execute,
  GraphQLError,
  NoUndefinedVariablesRule,
  NoUnusedFragmentsRule,
  NoUnusedVariablesRule,
  parse,
  recommendedRules,
  specifiedRules,
  VariablesInAllowedPositionRule,
  validate,
} from 'graphql'
import { openAnswerRoom } from './answer-room.ts'
import { checkDocument, checkText, introspectionLengths } from './document-limits.ts'
import { loosenVariables } from './loose-variables.ts'
import { Abandoned, type Asker, BUSY, type GraphqlWorld, QueryContext, UNREAD } from './query-context.ts'
import { QueryFault } from './query-fault.ts'
import { openQueryTurns } from './query-turns.ts'
import { buildAnalyticsSchema } from './schema.ts'

export interface Graphql {
  /** `owner` is whose queries wait for each other. Rejects where history cannot be read. */
  answer(request: GraphqlRequest, by: Asker & { readonly owner: string }): Promise<GraphqlAnswerOut>
}

export interface GraphqlRequest {
  readonly query: string
  readonly variables?: Readonly<Record<string, unknown>> | null | undefined
  readonly operationName?: string | null | undefined
}

export interface GraphqlAnswer {
  readonly status: 200 | 400 | 403 | 429
  readonly body: {
    readonly data: Readonly<Record<string, unknown>> | null
    readonly errors: readonly AnsweredError[] | null
  }
}

export interface GraphqlAnswerOut extends GraphqlAnswer {
  /** To be called once it is out: until then it counts as something of its owner's in memory. */
  out(): void
}

export interface AnsweredError {
  readonly message: string
  /** From the root on; what counts in a list is a string too, as in the original. */
  readonly path: readonly string[] | null
  readonly locations?: readonly { readonly line: number; readonly column: number }[]
  readonly extensions: {
    readonly code: QueryFault['code']
    readonly timestamp: string
    readonly ray_id: string
  }
}

const MOST_ERRORS = 5

/** Variables are looked at where they are used, and fragments of other operations may stand beside. */
const UNWANTED: ReadonlySet<unknown> = new Set([
  VariablesInAllowedPositionRule,
  NoUndefinedVariablesRule,
  NoUnusedVariablesRule,
  NoUnusedFragmentsRule,
])
const RULES = [...new Set([...specifiedRules, ...recommendedRules])].filter((rule) => !UNWANTED.has(rule))

export function openGraphql(world: GraphqlWorld): Graphql {
  const schema = buildAnalyticsSchema()
  const lengths = introspectionLengths(schema)
  const turns = openQueryTurns()
  const { room = openAnswerRoom() } = world

  function read({ query, variables, operationName }: GraphqlRequest) {
    checkText(query)
    const document: DocumentNode = parse(query)
    checkDocument(document, lengths)
    const named = operationName === null || operationName === '' ? undefined : operationName
    const loose = loosenVariables(document, { operationName: named, variables: variables ?? {} })
    const errors = validate(schema, loose.document, RULES, { maxErrors: MOST_ERRORS - 1 })
    return errors.length > 0 ? { errors } : loose
  }

  return {
    async answer(request, by) {
      const refuse = (errors: readonly unknown[]) => ({ ...refusal(errors, world.now()), out: () => {} })
      const turn = turns.take(by.owner)
      if (!turn) return refuse([new QueryFault('consumed', BUSY)])
      await using _ended = await turn
      // To read a query may take as long as to answer it: what else there is to do comes in between.
      await new Promise(setImmediate)
      const place = room.begin(by.owner)
      let isOut = false
      try {
        const asked = read(request)
        if ('errors' in asked) return refuse(asked.errors)
        if (!place.take(ANY_ANSWER)) return refuse([UNREAD])
        const contextValue = new QueryContext(world, by, place)
        const { document, variables: variableValues } = asked
        const { data, errors = [] } = await execute({ schema, document, variableValues, contextValue })
        if (errors.length > 0) return refuse(errors)
        isOut = true
        return { status: 200, body: { data: data ?? null, errors: null }, out: () => place.free() }
      } catch (error) {
        // Nothing of this was run: it is the query that is wrong.
        if (error instanceof QueryFault || error instanceof GraphQLError) return refuse([error])
        throw error
      } finally {
        if (!isOut) place.free()
      }
    },
  }
}

/** What the schema says of itself is not counted while it is written: it is hardly longer than this (`DOCUMENT_LIMITS`). */
const ANY_ANSWER = 2 * 1_048_576

/** Throws what is our own fault. */
function refusal(errors: readonly unknown[], now: number): GraphqlAnswer {
  const told = errors.filter((error) => !(causeOf(error) instanceof Abandoned))
  const faults = told.slice(0, MOST_ERRORS).map((error) => {
    const cause = causeOf(error)
    if (!(cause instanceof QueryFault) && !(cause instanceof GraphQLError)) throw cause
    return { error, cause: cause instanceof QueryFault ? cause : new QueryFault('malformed', cause.message) }
  })
  const [first] = faults
  if (!first) throw new Error('a query was abandoned, and for no reason')
  const rayId = randomBytes(8).toString('hex')
  const timestamp = new Date(now).toISOString()
  return {
    status: first.cause.status,
    body: {
      data: null,
      errors: faults.map(({ error, cause: { message, code } }) => ({
        message,
        path: (error instanceof GraphQLError ? error.path : undefined)?.map(String) ?? null,
        ...(error instanceof GraphQLError && error.locations && { locations: error.locations }),
        extensions: { code, timestamp, ray_id: rayId },
      })),
    },
  }
}

function causeOf(error: unknown): unknown {
  return error instanceof GraphQLError ? (error.originalError ?? error) : error
}
