import { GraphQLError, GraphQLScalarType, Kind, type ValueNode, valueFromASTUntyped } from 'graphql'
import type { FieldType } from './datasets.ts'
import { readValue, writeDate, writeTime } from './read-value.ts'

/** The API's own names for its types; queries declare their variables by them. A literal is looked at here, and what
 *  stays is what was written: it is read where it is used (`read-filter.ts`), as the value of a variable is. */
function scalar(name: FieldType, about: string, write?: (value: unknown) => unknown): GraphQLScalarType {
  return new GraphQLScalarType({
    name,
    description: about,
    ...(write && { coerceOutputValue: write }),
    coerceInputValue: (value) => value,
    coerceInputLiteral(literal) {
      const written = asWritten(literal)
      const read = readValue(name, written)
      if ('wrong' in read) throw new GraphQLError(read.wrong, { nodes: literal })
      return written
    },
  })
}

function asWritten(literal: ValueNode): unknown {
  // An enum value is a word without quotes, which is no string.
  return literal.kind === Kind.ENUM ? undefined : valueFromASTUntyped(literal)
}

export const SCALARS: Readonly<Record<FieldType, GraphQLScalarType>> = {
  Date: scalar('Date', 'A day in UTC: "2024-07-15"', (at) => writeDate(Number(at))),
  Time: scalar('Time', 'A moment in UTC, to the second (RFC 3339): "2024-07-15T00:00:00Z"', (at) =>
    writeTime(Number(at)),
  ),
  string: scalar('string', 'Text'),
  uint8: scalar('uint8', 'A whole number from 0 to 255'),
}

export const UINT64 = new GraphQLScalarType({
  name: 'uint64',
  description: 'A whole number from 0 on',
  coerceInputValue: (value) => value,
  coerceInputLiteral(literal) {
    if (literal.kind !== Kind.INT || literal.value.startsWith('-'))
      throw new GraphQLError('uint64 is a whole number from 0 on', { nodes: literal })
    return Number(literal.value)
  },
})
