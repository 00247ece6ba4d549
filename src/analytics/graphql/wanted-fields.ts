import {
  type FieldNode,
  GraphQLIncludeDirective,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  getDirectiveValues,
  Kind,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql'

/** A field that is asked for, by the key that it has in the answer. */
export interface WantedField {
  readonly key: string
  readonly node: FieldNode
}

type Asked = Pick<GraphQLResolveInfo, 'fragments' | 'variableValues'>

/** The fields that are asked for below these, through fragments, without what is skipped. Every type condition is the
 *  type itself, since the schema has neither interfaces nor unions. */
export function wantedFields(nodes: readonly FieldNode[], asked: Asked): readonly WantedField[] {
  return nodes.flatMap(({ selectionSet }) => (selectionSet ? fieldsIn(selectionSet, asked) : []))
}

function fieldsIn({ selections }: SelectionSetNode, asked: Asked): readonly WantedField[] {
  return selections.flatMap((selection): readonly WantedField[] => {
    if (isSkipped(selection, asked)) return []
    switch (selection.kind) {
      case Kind.FIELD:
        return [{ key: selection.alias?.value ?? selection.name.value, node: selection }]
      case Kind.INLINE_FRAGMENT:
        return fieldsIn(selection.selectionSet, asked)
      case Kind.FRAGMENT_SPREAD: {
        const fragment = asked.fragments[selection.name.value]
        return fragment ? fieldsIn(fragment.selectionSet, asked) : []
      }
    }
  })
}

function isSkipped(selection: SelectionNode, { variableValues }: Asked): boolean {
  const skip = getDirectiveValues(GraphQLSkipDirective, selection, variableValues)
  const include = getDirectiveValues(GraphQLIncludeDirective, selection, variableValues)
  return skip?.['if'] === true || include?.['if'] === false
}
