import { PERMISSIONS, type Permission } from '#model/permission.ts'

/** Permissions as they are stored, a JSON array, with what they imply: who may edit may read. Names that this version
 *  does not know grant nothing. */
export function parsePermissions(stored: string): ReadonlySet<Permission> {
  const names: unknown = JSON.parse(stored)
  if (!Array.isArray(names)) throw new TypeError('stored permissions are a JSON array')
  return impliedBy(names)
}

/** What these names grant. */
export function impliedBy(names: readonly unknown[]): ReadonlySet<Permission> {
  const granted = PERMISSIONS.filter(
    (permission) => names.includes(permission) || names.includes(permission.replace(/:Read$/, ':Edit')),
  )
  return new Set(granted)
}

/** What is gone without these: who may not read may not edit. */
export function impliedByLackOf(names: Iterable<Permission>): ReadonlySet<Permission> {
  const given = new Set<string>(names)
  return new Set(PERMISSIONS.filter((name) => given.has(name) || given.has(name.replace(/:Edit$/, ':Read'))))
}
