import { z } from 'zod'
import { operation } from './operation.ts'

const EXAMPLE = `query EmailSendingByStatus($orderBy: [ZoneEmailSendingAdaptiveGroupsOrderBy!]) {
  viewer {
    zones {
      emailSendingAdaptiveGroups(limit: 10000, orderBy: $orderBy) {
        count
        dimensions { date status }
      }
    }
  }
}`

const graphqlError = z
  .object({
    message: z.string(),
    path: z
      .array(z.string())
      .readonly()
      .nullable()
      .describe('The nodes that it is about, from the root on; null where it is about the query as a whole'),
    locations: z
      .array(z.object({ line: z.number().int(), column: z.number().int() }))
      .readonly()
      .optional(),
    extensions: z.object({
      code: z
        .enum(['query', 'args', 'quota', 'authz', 'budget', 'internal'])
        .describe(
          'query: it cannot be read, or is none of this schema; args: an argument has no good value; quota: it asks for more than a query may; authz: the token may not; budget: it took too much, or too many run at once; internal: the server failed',
        ),
      timestamp: z.string(),
      ray_id: z.string(),
    }),
  })
  .meta({ id: 'GraphqlError' })

/** What GraphQL answers in place of the envelope. After an error there is no data. */
const graphqlAnswer = z
  .object({
    data: z.record(z.string(), z.unknown()).nullable(),
    errors: z
      .array(graphqlError)
      .readonly()
      .nullable()
      .optional()
      .describe('null where there are none; absent for who accepts application/graphql-response+json'),
  })
  .meta({ id: 'GraphqlAnswer' })

export type GraphqlAnswerBody = z.output<typeof graphqlAnswer>

/** observability-metrics-graphql.md, docs/graphql.md. */
export const queryGraphql = operation({
  id: 'graphql.query',
  permission: 'Analytics:Read',
  scope: 'user',
  method: 'POST',
  path: '/graphql',
  summary: 'Answers a GraphQL query over what became of mail; the schema is told by introspection.',
  body: z
    .object({
      query: z.string(),
      variables: z.record(z.string(), z.unknown()).nullish(),
      operationName: z.string().nullish(),
    })
    .meta({ examples: [{ query: EXAMPLE, variables: { orderBy: ['date_DESC'] } }] }),
  result: graphqlAnswer,
  ownShape: true,
})

export const graphqlOperations = [queryGraphql]
