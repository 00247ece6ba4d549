import { foldAddress } from '#model/address.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { ListFilter } from './list-suppressions.ts'
import { readScopeValue } from './read-wish.ts'
import { localKeyOf, REASONS } from './suppression.ts'

/** The filters of a list as its query has them. */
export interface FilterFields {
  readonly email?: string | undefined
  readonly search?: string | undefined
  readonly reason?: string | undefined
  readonly scope_type?: string | undefined
  readonly scope_value?: string | undefined
}

export interface FilterFault {
  readonly detail: string
}

/** `email` is a whole address; `search` one, or a local part that ends in '@'. Both compare without regard to case. */
export function readListFilter(fields: FilterFields): ListFilter | FilterFault {
  const email = fields.email === undefined ? undefined : readKey('email', fields.email)
  if (typeof email === 'object') return email
  const search = fields.search === undefined ? undefined : readSearch(fields.search)
  if (search !== undefined && 'detail' in search) return search
  const reason = REASONS.find((known) => known === fields.reason)
  if (fields.reason !== undefined && !reason)
    return { detail: `reason must be one of ${REASONS.join(', ')}.` }
  const scope = readScopeFilter(fields)
  if ('detail' in scope) return scope
  const keys = [email, search?.emailKey].filter((key) => key !== undefined)
  return {
    ...(keys.length > 0 && { emailKeys: keys }),
    ...(search?.localKey !== undefined && { localKey: search.localKey }),
    ...(reason && { reason }),
    ...scope,
  }
}

function readKey(parameter: string, text: string): string | FilterFault {
  const address = parseAddress(text)
  return isAddress(address) ? foldAddress(address) : { detail: `${parameter}: ${address.detail}` }
}

function readSearch(text: string): { readonly emailKey?: string; readonly localKey?: string } | FilterFault {
  if (!text.endsWith('@')) {
    const emailKey = readKey('search', text)
    if (typeof emailKey === 'string') return { emailKey }
    return {
      detail:
        "search must be a whole address, or the part before '@' of an address with its '@', as in \"alex@\".",
    }
  }
  // Any domain will do: what matters is how a local part is read and folded.
  const address = parseAddress(`${text}example.com`)
  if (isAddress(address)) return { localKey: localKeyOf(foldAddress(address)) }
  return { detail: `search: ${address.detail}` }
}

function readScopeFilter({
  scope_type: type,
  scope_value: value,
}: FilterFields): Pick<ListFilter, 'scopeType' | 'scopeValue'> | FilterFault {
  if (type !== undefined && type !== 'account' && type !== 'sending_domain') {
    return { detail: 'scope_type must be account or sending_domain.' }
  }
  if (value === undefined) return type === undefined ? {} : { scopeType: type }
  if (type !== 'sending_domain') return { detail: 'scope_value needs scope_type=sending_domain beside it.' }
  const domain = readScopeValue(value)
  if (typeof domain !== 'string') return { detail: `scope_value: ${domain.detail}` }
  return { scopeType: type, scopeValue: domain }
}
