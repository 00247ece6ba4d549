/** What a policy speaks of. `*`: of every account in which the token's owner acts. */
export type Resource =
  | { readonly kind: 'user' | 'zone'; readonly id: string }
  /** With all that is in it. */
  | { readonly kind: 'account'; readonly id: string }
  /** All zones of an account, without the account itself. */
  | { readonly kind: 'zones'; readonly id: string }

/** As the API has them: `{"com.cloudflare.api.account.<id>": "*"}`, or in place of the star the zones of the account. */
export type WrittenResources = Readonly<Record<string, string | Readonly<Record<string, string>>>>

export type ParsedResources =
  | { readonly ok: true; readonly resources: readonly Resource[] }
  /** The keys that lead to what is no resource. */
  | { readonly ok: false; readonly at: readonly string[] }

const PREFIX = 'com.cloudflare.api.'
const USER = /^user\.([0-9a-f]{32})$/
const ACCOUNT = /^account\.([0-9a-f]{32}|\*)$/
const ZONE = /^account\.zone\.([0-9a-f]{32}|\*)$/

export function parseResources(written: WrittenResources): ParsedResources {
  const resources: Resource[] = []
  for (const [key, value] of Object.entries(written)) {
    const outer = typeof value === 'string' ? [[key, value]] : []
    const inner = typeof value === 'string' ? [] : Object.entries(value)
    if (typeof value !== 'string' && (inner.length === 0 || parseKey(key)?.kind !== 'account')) {
      return { ok: false, at: [key] }
    }
    const account = parseKey(key)?.id ?? ''
    for (const [name = '', star] of [...outer, ...inner]) {
      const resource = parseKey(name)
      const isZone = resource?.kind === 'zone' || resource?.kind === 'zones'
      if (!resource || star !== '*' || (inner.length > 0 && !isZone)) {
        return { ok: false, at: inner.length > 0 ? [key, name] : [key] }
      }
      // Inside an account the star means its zones alone.
      resources.push(
        inner.length > 0 && resource.kind === 'zones' ? { kind: 'zones', id: account } : resource,
      )
    }
  }
  return { ok: true, resources }
}

function parseKey(key: string): Resource | undefined {
  if (!key.startsWith(PREFIX)) return undefined
  const name = key.slice(PREFIX.length)
  const user = USER.exec(name)?.[1]
  if (user !== undefined) return { kind: 'user', id: user }
  const account = ACCOUNT.exec(name)?.[1]
  if (account !== undefined) return { kind: 'account', id: account }
  const zone = ZONE.exec(name)?.[1]
  if (zone === undefined) return undefined
  return zone === '*' ? { kind: 'zones', id: '*' } : { kind: 'zone', id: zone }
}

export function accountResource(accountId: string): WrittenResources {
  return { [`${PREFIX}account.${accountId}`]: '*' }
}

/** All that a user may reach. */
export function userResources(userId: string): WrittenResources {
  return { [`${PREFIX}user.${userId}`]: '*', [`${PREFIX}account.*`]: '*' }
}
