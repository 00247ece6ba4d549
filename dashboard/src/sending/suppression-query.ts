import type { SuppressionsSearch } from './routes.ts'

/** The page's filters as the API has them. Who types part of an address looks for what stands before the @. */
export function suppressionQuery({ search, reason, scope }: SuppressionsSearch) {
  return {
    search: search === undefined || search.includes('@') ? search : `${search}@`,
    reason,
    scope_type: scope === undefined ? undefined : scope === 'account' ? 'account' : 'sending_domain',
    scope_value: scope === undefined || scope === 'account' ? undefined : scope,
  }
}
