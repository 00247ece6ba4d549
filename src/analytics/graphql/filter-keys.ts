import type { Filter } from '../history-query.ts'
import { type DatasetNode, FIELDS, type FieldType, type NodeField } from './datasets.ts'

/** A key of a dataset's filter, such as `status_neq`: a field and how it is compared. */
export interface FilterKey {
  readonly key: string
  readonly field: NodeField
  readonly type: FieldType
  readonly is: Comparison
}

export type Comparison = Exclude<Extract<Filter, { readonly is: unknown }>['is'], 'contains'>

const SUFFIXES = {
  '': 'eq',
  _geq: 'geq',
  _gt: 'gt',
  _in: 'in',
  _leq: 'leq',
  _lt: 'lt',
  _neq: 'neq',
  _notin: 'notin',
} as const satisfies Record<string, Comparison>

const OF_STRINGS = { ...SUFFIXES, _like: 'like' } as const satisfies Record<string, Comparison>

export function filterKeysOf({ fields }: DatasetNode): readonly FilterKey[] {
  return fields.flatMap((field) => {
    const { type } = FIELDS[field]
    const suffixes = Object.entries(type === 'string' ? OF_STRINGS : SUFFIXES)
    return suffixes.map(([suffix, is]) => ({ key: `${field}${suffix}`, field, type, is }))
  })
}
