import type { Permission } from '#model/permission.ts'
import { grantsIn, grantsOverUser, type Policy, permissionsIn } from './policy.ts'
import type { Resource } from './resource.ts'
import type { Token } from './tokens.ts'

/** The first permission that policies give and the token does not have there itself: no token makes one that may do
 *  more. `accountOfZone` has the zones that exist; the others give nothing. The resources must be of the token's owner,
 *  which is not looked at here. */
export function lackingFor(
  holder: Token,
  policies: readonly Policy[],
  accountOfZone: ReadonlyMap<string, string>,
): Permission | undefined {
  for (const { effect, permissions, resources } of policies) {
    // A denial only takes away.
    if (effect === 'deny') continue
    for (const resource of resources) {
      const lacking = permissions.find((permission) => !has(holder, permission, resource, accountOfZone))
      if (lacking) return lacking
    }
  }
  return undefined
}

function has(
  holder: Token,
  permission: Permission,
  resource: Resource,
  accountOfZone: ReadonlyMap<string, string>,
): boolean {
  const { policies } = holder
  if (!policies) return holder.permissions.has(permission)
  switch (resource.kind) {
    case 'user':
      return grantsOverUser(policies, resource.id, permission)
    case 'zone': {
      const accountId = accountOfZone.get(resource.id)
      const grants = accountId === undefined ? undefined : grantsIn(policies, accountId)
      return (
        accountId === undefined ||
        (grants !== undefined && permissionsIn(grants, resource.id).has(permission))
      )
    }
    case 'account':
    case 'zones':
      return resource.id === '*'
        ? hasEverywhere(policies, permission, resource)
        : hasInAll(policies, permission, { ...resource, id: resource.id })
  }
}

function hasInAll(
  policies: readonly Policy[],
  permission: Permission,
  { kind, id }: Pick<Resource, 'kind' | 'id'>,
): boolean {
  const grants = grantsIn(policies, id)
  if (!grants || (kind === 'account' && !grants.permissions.has(permission))) return false
  const { zones } = grants
  if (!zones) return grants.permissions.has(permission)
  return zones.every.has(permission) && [...zones.some.values()].every((zone) => zone.has(permission))
}

/** In whatever account there is or will be: given for all of them, and denied nowhere. */
function hasEverywhere(policies: readonly Policy[], permission: Permission, { kind }: Resource): boolean {
  const names = (policy: Policy) =>
    policy.permissions.includes(permission) || policy.permissions.some((name) => implies(name, permission))
  const allowed = policies.some(
    (policy) =>
      policy.effect === 'allow' &&
      names(policy) &&
      policy.resources.some(
        (given) =>
          given.id === '*' && (given.kind === 'account' || (kind === 'zones' && given.kind === 'zones')),
      ),
  )
  return allowed && !policies.some(({ effect }) => effect === 'deny')
}

function implies(name: Permission, permission: Permission): boolean {
  return permission.endsWith(':Read') && name === permission.replace(/:Read$/, ':Edit')
}
