import {
  type DocumentNode,
  Kind,
  type OperationDefinitionNode,
  type TypeNode,
  type VariableDefinitionNode,
  valueFromASTUntyped,
  visit,
} from 'graphql'
import { QueryFault } from './query-fault.ts'

type Variables = Readonly<Record<string, unknown>>

export interface LooseQuery {
  readonly document: DocumentNode
  readonly variables: Variables
}

/** The operation that is asked for, with variables that take any value: the original reads a value by where it is used
 *  and not by the type of its variable, so its clients write `String!` for `string!`, `Int` for `uint64`, the type of
 *  another dataset's filter, or no declaration at all. What is required is still required. */
export function loosenVariables(
  { definitions, ...document }: DocumentNode,
  { operationName, variables }: { readonly operationName: string | undefined; readonly variables: Variables },
): LooseQuery {
  const operations = definitions.filter((each) => each.kind === Kind.OPERATION_DEFINITION)
  const fragments = definitions.filter((each) => each.kind !== Kind.OPERATION_DEFINITION)
  const operation = chosen(operations, operationName)
  const declared = operation.variableDefinitions ?? []
  const values: Record<string, unknown> = Object.assign(Object.create(null), variables)
  for (const { variable, defaultValue, type } of declared) {
    const name = variable.name.value
    if (values[name] === undefined && defaultValue) values[name] = valueFromASTUntyped(defaultValue)
    if (type.kind === Kind.NON_NULL_TYPE) requireValue(name, values)
  }
  const known = new Set(declared.map(({ variable }) => variable.name.value))
  const others = namesUsed({ ...document, definitions: [operation, ...fragments] }).difference(known)
  for (const name of others) requireValue(name, values)
  const loosened: OperationDefinitionNode = {
    ...operation,
    variableDefinitions: [
      ...declared.map((each) => definition(each.variable.name.value, each.type)),
      ...[...others].map((name) => definition(name)),
    ],
  }
  return { document: { ...document, definitions: [loosened, ...fragments] }, variables: values }
}

function chosen(
  operations: readonly OperationDefinitionNode[],
  name: string | undefined,
): OperationDefinitionNode {
  const [first, ...more] = operations
  if (!first) throw new QueryFault('malformed', 'the query has no operation')
  if (name === undefined) {
    if (more.length === 0) return first
    throw new QueryFault('malformed', 'the query has several operations: say which by operationName')
  }
  const found = operations.find((each) => each.name?.value === name)
  if (!found)
    throw new QueryFault('malformed', 'the query has no operation of the name that operationName says')
  return found
}

function requireValue(name: string, values: Variables): void {
  if (values[name] === undefined || values[name] === null)
    throw new QueryFault('arguments', `error parsing args: the variable $${name} has no value`)
}

function namesUsed(document: DocumentNode): ReadonlySet<string> {
  const names = new Set<string>()
  visit(document, {
    // Its own declarations are no use of them.
    VariableDefinition: () => false,
    Variable: ({ name }) => void names.add(name.value),
  })
  return names
}

/** `string` takes whatever it is given (`scalars.ts`). Directives are graphql-js's own, and need what they say. */
function definition(name: string, type?: TypeNode): VariableDefinitionNode {
  const named = type?.kind === Kind.NON_NULL_TYPE ? type.type : type
  const isBoolean = named?.kind === Kind.NAMED_TYPE && named.name.value === 'Boolean'
  const value = isBoolean ? 'Boolean' : 'string'
  return {
    kind: Kind.VARIABLE_DEFINITION,
    variable: { kind: Kind.VARIABLE, name: { kind: Kind.NAME, value: name } },
    type: { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value } },
  }
}
