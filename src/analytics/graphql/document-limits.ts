import {
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isObjectType,
  Kind,
  Lexer,
  type SelectionSetNode,
  Source,
  TokenKind,
} from 'graphql'
import { QueryFault } from './query-fault.ts'

/** What a document may be. The longest introspection that clients send has 15 levels, 100 fields and 800 tokens; a page
 *  of charts has a few hundred fields. */
export const DOCUMENT_LIMITS = {
  characters: 65_536,
  tokens: 10_000,
  brackets: 60,
  depth: 20,
  fields: 500,
  aliases: 200,
  fragments: 50,
  introspected: 200_000,
} as const

/** Before it is parsed: the parser goes as deep as the brackets do. */
export function checkText(query: string): void {
  if (query.length > DOCUMENT_LIMITS.characters)
    throw tooMuch(`is longer than ${DOCUMENT_LIMITS.characters} characters`)
  const lexer = new Lexer(new Source(query))
  let depth = 0
  for (let tokens = 0; lexer.advance().kind !== TokenKind.EOF; tokens++) {
    if (tokens >= DOCUMENT_LIMITS.tokens) throw tooMuch(`has more than ${DOCUMENT_LIMITS.tokens} tokens`)
    depth += NESTING[lexer.token.kind] ?? 0
    if (depth > DOCUMENT_LIMITS.brackets) throw tooMuch('is nested too deep')
  }
}

const NESTING: Readonly<Record<string, number>> = {
  [TokenKind.BRACE_L]: 1,
  [TokenKind.BRACKET_L]: 1,
  [TokenKind.PAREN_L]: 1,
  [TokenKind.BRACE_R]: -1,
  [TokenKind.BRACKET_R]: -1,
  [TokenKind.PAREN_R]: -1,
}

/** What a selection comes to, its fragments where they are spread. */
interface Size {
  readonly depth: number
  readonly fields: number
  readonly aliases: number
  /** Fields of the answer, as far as introspection repeats them. */
  readonly introspected: number
}

/** How many things each list of the introspection has, on average. */
export type ListLengths = ReadonlyMap<string, number>

/** Before it is validated, which takes time that grows with the square of what it compares. A fragment counts each time
 *  it is spread and is looked at once, so that fragments of fragments do not multiply the work. */
export function checkDocument({ definitions }: DocumentNode, lengths: ListLengths): void {
  const fragments = new Map(
    definitions.flatMap((each) => (each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each]] : [])),
  )
  const sizes = new Map<string, Size>()
  if (fragments.size > DOCUMENT_LIMITS.fragments)
    throw tooMuch(`has more than ${DOCUMENT_LIMITS.fragments} fragments`)

  function ofSet({ selections }: SelectionSetNode): Size {
    const sizes = selections.map((selection) => {
      if (selection.kind === Kind.FRAGMENT_SPREAD) return ofFragment(fragments.get(selection.name.value))
      if (selection.kind === Kind.INLINE_FRAGMENT) return ofSet(selection.selectionSet)
      const below = selection.selectionSet ? ofSet(selection.selectionSet) : NOTHING
      return {
        depth: below.depth + 1,
        fields: below.fields + 1,
        aliases: below.aliases + (selection.alias ? 1 : 0),
        introspected: 1 + below.introspected * (lengths.get(selection.name.value) ?? 1),
      }
    })
    return sizes.reduce(
      (sum, one) => ({
        depth: Math.max(sum.depth, one.depth),
        fields: sum.fields + one.fields,
        aliases: sum.aliases + one.aliases,
        introspected: sum.introspected + one.introspected,
      }),
      NOTHING,
    )
  }

  function ofFragment(fragment: FragmentDefinitionNode | undefined): Size {
    // One that does not exist is for validation to tell.
    if (!fragment) return NOTHING
    const name = fragment.name.value
    const known = sizes.get(name)
    if (known) return known
    // One that spreads itself is for validation to tell, too.
    sizes.set(name, NOTHING)
    const size = ofSet(fragment.selectionSet)
    sizes.set(name, size)
    return size
  }

  for (const definition of definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION && definition.kind !== Kind.FRAGMENT_DEFINITION)
      continue
    check(
      definition.kind === Kind.FRAGMENT_DEFINITION ? ofFragment(definition) : ofSet(definition.selectionSet),
    )
  }
}

const NOTHING: Size = { depth: 0, fields: 0, aliases: 0, introspected: 0 }

function check({ depth, fields, aliases, introspected }: Size): void {
  if (depth > DOCUMENT_LIMITS.depth) throw tooMuch(`is nested deeper than ${DOCUMENT_LIMITS.depth} levels`)
  if (fields > DOCUMENT_LIMITS.fields)
    throw tooMuch(`has more than ${DOCUMENT_LIMITS.fields} fields, counted where fragments are spread`)
  if (aliases > DOCUMENT_LIMITS.aliases) throw tooMuch(`has more than ${DOCUMENT_LIMITS.aliases} aliases`)
  if (introspected > DOCUMENT_LIMITS.introspected) throw tooMuch('asks the schema for too much at once')
}

function tooMuch(what: string): QueryFault {
  return new QueryFault('limit', `the query ${what}`)
}

export function introspectionLengths(schema: GraphQLSchema): ListLengths {
  const types = Object.values(schema.getTypeMap())
  const fields = types.flatMap((type) => (isObjectType(type) ? Object.values(type.getFields()) : []))
  const inputFields = types.flatMap((type) =>
    isInputObjectType(type) ? Object.values(type.getFields()) : [],
  )
  const enumValues = types.flatMap((type) => (isEnumType(type) ? type.getValues() : []))
  const args = fields.flatMap((field) => field.args)
  const perType = (things: readonly unknown[]) => Math.ceil(things.length / types.length)
  return new Map([
    ['types', types.length],
    ['fields', perType(fields)],
    ['inputFields', perType(inputFields)],
    ['enumValues', perType(enumValues)],
    ['args', Math.ceil(args.length / fields.length)],
    ['directives', schema.getDirectives().length],
  ])
}
