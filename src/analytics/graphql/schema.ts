import {
  GraphQLBoolean,
  GraphQLEnumType,
  type GraphQLFieldConfigMap,
  GraphQLInputObjectType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
} from 'graphql'
import { answerDataset, type GroupRow, MOST_FIELDS, MOST_ROWS, valueOf } from './answer-dataset.ts'
import { type DatasetNode, datasetsOf, FIELDS, type NodeField, type NodeScope } from './datasets.ts'
import { filterKeysOf } from './filter-keys.ts'
import type { QueryContext } from './query-context.ts'
import { MOST_ZONES, readAccounts, readZones, type ScopeNode } from './read-scopes.ts'
import { SCALARS, UINT64 } from './scalars.ts'

/** The schema, with the original's names: `viewer { zones { … } accounts { … } }`. Arguments come to the resolvers as
 *  they were written, since variables are not typed (`loose-variables.ts`): what reads them looks at every value. */
export function buildAnalyticsSchema(): GraphQLSchema {
  const viewer = new GraphQLObjectType<object, QueryContext>({
    name: 'viewer',
    description: 'What the API token may read.',
    fields: {
      zones: {
        type: listOf(scopeType('zone')),
        description: `Zones, in the order of their ids; ${MOST_ZONES} in a query at most. Without a filter, all that there are.`,
        args: { filter: { type: scopeFilter('zone') }, limit: { type: UINT64 } },
        resolve: (_viewer, args, context) => context.guard(() => readZones(args, context)),
      },
      accounts: {
        type: listOf(scopeType('account')),
        description: 'An account with the mail of all of its zones. It has to be named.',
        args: { filter: { type: scopeFilter('account') }, limit: { type: UINT64 } },
        resolve: (_viewer, args, context) => context.guard(() => readAccounts(args, context)),
      },
    },
  })
  const query = new GraphQLObjectType({
    name: 'Query',
    fields: { viewer: { type: new GraphQLNonNull(viewer), resolve: () => ({}) } },
  })
  return new GraphQLSchema({ query })
}

function scopeType(kind: NodeScope): GraphQLObjectType<ScopeNode, QueryContext> {
  const nodes = datasetsOf(kind)
  const tag = `${kind}Tag`
  return new GraphQLObjectType<ScopeNode, QueryContext>({
    name: kind,
    fields: {
      [tag]: {
        type: new GraphQLNonNull(SCALARS.string),
        description: `Id of the ${kind}`,
        resolve: (at) => at.tag,
      },
      settings: {
        type: new GraphQLNonNull(settingsType(kind, nodes)),
        description: 'What may be asked of each dataset.',
        resolve: () => ({}),
      },
      ...Object.fromEntries(nodes.map((node) => [node.name, datasetField(kind, node)])),
    },
  })
}

function scopeFilter(kind: NodeScope): GraphQLInputObjectType {
  const { string } = SCALARS
  const tag = `${kind}Tag`
  return new GraphQLInputObjectType({
    name: `${capital(kind)}Filter_InputObject`,
    description: 'One of these; they do not combine.',
    fields: {
      [tag]: { type: string },
      [`${tag}_in`]: { type: listOf(string) },
      // There is no list of accounts to go through.
      ...(kind === 'zone' && { [`${tag}_gt`]: { type: string } }),
    },
  })
}

function datasetField(kind: NodeScope, node: DatasetNode) {
  const type = `${capital(kind)}${capital(node.name)}`
  const keys = new Map(filterKeysOf(node).map((key) => [key.key, key]))
  return {
    type: listOf(node.kind === 'groups' ? groupType(type, node) : eventType(type, node)),
    description: node.about,
    args: {
      filter: { type: datasetFilter(type, node) },
      limit: { type: UINT64, description: `Rows at most: 1 to ${MOST_ROWS}, which is the default` },
      orderBy: { type: listOf(orderType(type, node)) },
    },
    resolve: (scope, args, context, info) =>
      context.guard(() => answerDataset(scope, { node, keys, args, info }, context)),
  } satisfies GraphQLFieldConfigMap<ScopeNode, QueryContext>[string]
}

function eventType(name: string, { fields, about }: DatasetNode): GraphQLObjectType {
  return new GraphQLObjectType({ name, description: about, fields: valueFields(fields) })
}

function groupType(name: string, { fields, about }: DatasetNode): GraphQLObjectType {
  const dimensions = new GraphQLObjectType({ name: `${name}Dimensions`, fields: valueFields(fields) })
  return new GraphQLObjectType<GroupRow>({
    name,
    description: about,
    fields: {
      count: { type: new GraphQLNonNull(UINT64), description: 'Number of events; nothing is sampled' },
      dimensions: { type: new GraphQLNonNull(dimensions), description: 'What the events are grouped by' },
    },
  })
}

function valueFields(fields: readonly NodeField[]) {
  return Object.fromEntries(
    fields.map((field) => {
      const { type, about } = FIELDS[field]
      return [field, { type: new GraphQLNonNull(SCALARS[type]), description: about, resolve: valueOf(field) }]
    }),
  )
}

function datasetFilter(name: string, node: DatasetNode): GraphQLInputObjectType {
  const filter: GraphQLInputObjectType = new GraphQLInputObjectType({
    name: `${name}Filter_InputObject`,
    description: 'All of these hold together.',
    fields: () => ({
      ...Object.fromEntries(
        filterKeysOf(node).map(({ key, type, is }) => {
          const one = SCALARS[type]
          return [key, { type: is === 'in' || is === 'notin' ? listOf(one) : one }]
        }),
      ),
      AND: { type: listOf(filter) },
      OR: { type: listOf(filter) },
    }),
  })
  return filter
}

function orderType(name: string, { kind, fields }: DatasetNode): GraphQLEnumType {
  const sorted = kind === 'groups' ? ['count', ...fields] : fields
  const values = sorted.flatMap((field) => [`${field}_ASC`, `${field}_DESC`])
  return new GraphQLEnumType({
    name: `${name}OrderBy`,
    values: Object.fromEntries(values.map((value) => [value, {}])),
  })
}

function settingsType(kind: NodeScope, nodes: readonly DatasetNode[]): GraphQLObjectType {
  return new GraphQLObjectType<object, QueryContext>({
    name: `${capital(kind)}Settings`,
    fields: Object.fromEntries(
      nodes.map((node) => [
        node.name,
        {
          type: new GraphQLNonNull(DATASET_SETTINGS),
          resolve: (_at: object, _args: object, { world }: QueryContext) => settingsOf(node, world.days),
        },
      ]),
    ),
  })
}

const DATASET_SETTINGS = new GraphQLObjectType({
  name: 'Settings',
  fields: {
    enabled: { type: new GraphQLNonNull(GraphQLBoolean) },
    availableFields: { type: listOf(SCALARS.string) },
    maxDuration: { type: new GraphQLNonNull(UINT64), description: 'Seconds that a query may span' },
    maxNumberOfFields: { type: new GraphQLNonNull(UINT64), description: 'Fields of one query' },
    maxPageSize: { type: new GraphQLNonNull(UINT64), description: 'Rows of one answer' },
    notOlderThan: { type: new GraphQLNonNull(UINT64), description: 'Seconds for which events are kept' },
  },
})

function settingsOf({ kind, fields }: DatasetNode, days: number) {
  const kept = days * 86_400
  return {
    enabled: true,
    availableFields: kind === 'groups' ? ['count', ...fields.map((field) => `dimensions_${field}`)] : fields,
    maxDuration: kept,
    maxNumberOfFields: MOST_FIELDS,
    maxPageSize: MOST_ROWS,
    notOlderThan: kept,
  }
}

function listOf<T extends ConstructorParameters<typeof GraphQLNonNull>[0]>(type: T) {
  return new GraphQLList(new GraphQLNonNull(type))
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}
