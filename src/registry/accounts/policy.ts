import type { Permission } from '#model/permission.ts'
import { impliedBy, impliedByLackOf } from './permission.ts'
import { parseResources, type Resource, type WrittenResources } from './resource.ts'

/** What a token may do, and where. A token's policies add up, and what one of them denies no other gives. */
export interface Policy {
  readonly id: string
  readonly effect: 'allow' | 'deny'
  /** As they were given. */
  readonly permissions: readonly Permission[]
  readonly written: WrittenResources
  readonly resources: readonly Resource[]
}

/** What a token may do in one account. */
export interface Grants {
  /** In the account itself, and so in all of its zones. */
  readonly permissions: ReadonlySet<Permission>
  /** Where zones differ from the account: each in its own way, or all others alike. */
  readonly zones?: {
    readonly every: ReadonlySet<Permission>
    readonly some: ReadonlyMap<string, ReadonlySet<Permission>>
  }
}

/** What is granted in a zone of the account. */
export function permissionsIn({ permissions, zones }: Grants, zoneId: string): ReadonlySet<Permission> {
  return zones ? (zones.some.get(zoneId) ?? zones.every) : permissions
}

/** In the account or in any of its zones: where exactly, whoever asks must look at as well. */
export function isGrantedSomewhere({ permissions, zones }: Grants, permission: Permission): boolean {
  if (permissions.has(permission)) return true
  if (!zones) return false
  return zones.every.has(permission) || [...zones.some.values()].some((zone) => zone.has(permission))
}

/** What all of these policies may allow somewhere, before anything is denied. */
export function allowedSomewhere(policies: readonly Policy[]): ReadonlySet<Permission> {
  return impliedBy(policies.flatMap(({ effect, permissions }) => (effect === 'allow' ? permissions : [])))
}

/** Undefined where the policies give nothing in that account nor in any zone that may be its. */
export function grantsIn(policies: readonly Policy[], accountId: string): Grants | undefined {
  const isHere = (id: string) => id === '*' || id === accountId
  const ofAccount = (resource: Resource) => resource.kind === 'account' && isHere(resource.id)
  const ofEveryZone = (resource: Resource) =>
    ofAccount(resource) || (resource.kind === 'zones' && isHere(resource.id))
  const zoneIds = new Set(
    policies.flatMap(({ resources }) =>
      resources.flatMap((resource) => (resource.kind === 'zone' ? [resource.id] : [])),
    ),
  )
  const permissions = judged(policies, ofAccount)
  const every = judged(policies, ofEveryZone)
  const some = new Map(
    [...zoneIds].map((zoneId) => [
      zoneId,
      judged(
        policies,
        (resource) => ofEveryZone(resource) || (resource.kind === 'zone' && resource.id === zoneId),
      ),
    ]),
  )
  if ([permissions, every, ...some.values()].every(({ size }) => size === 0)) return undefined
  const alike = some.size === 0 && every.isSubsetOf(permissions) && permissions.isSubsetOf(every)
  return alike ? { permissions } : { permissions, zones: { every, some } }
}

/** Whether they give a permission over the user itself: its tokens and its key. */
export function grantsOverUser(policies: readonly Policy[], userId: string, permission: Permission): boolean {
  const isUser = (resource: Resource) => resource.kind === 'user' && resource.id === userId
  return judged(policies, isUser).has(permission)
}

function judged(
  policies: readonly Policy[],
  applies: (resource: Resource) => boolean,
): ReadonlySet<Permission> {
  const named = (effect: Policy['effect']) =>
    policies.flatMap((policy) =>
      policy.effect === effect && policy.resources.some(applies) ? policy.permissions : [],
    )
  const denied = impliedByLackOf(named('deny'))
  return new Set([...impliedBy(named('allow'))].filter((permission) => !denied.has(permission)))
}

interface StoredPolicy {
  readonly id: string
  readonly effect: Policy['effect']
  readonly permissions: readonly Permission[]
  readonly resources: WrittenResources
}

export function storedPolicies(policies: readonly Policy[]): string {
  return JSON.stringify(
    policies.map(
      ({ id, effect, permissions, written }): StoredPolicy => ({
        id,
        effect,
        permissions,
        resources: written,
      }),
    ),
  )
}

/** The way back. What was stored had been parsed, so anything else in it is a bug. */
export function parsePolicies(stored: string): readonly Policy[] {
  // Written by storedPolicies alone.
  const policies = JSON.parse(stored) as readonly StoredPolicy[]
  return policies.map(({ resources: written, ...policy }) => {
    const parsed = parseResources(written)
    if (!parsed.ok)
      throw new TypeError(`a stored policy names a resource that is none: ${parsed.at.join('.')}`)
    return { ...policy, written, resources: parsed.resources }
  })
}
