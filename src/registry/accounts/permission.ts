import { PERMISSIONS, type Permission } from '#model/permission.ts'

/** Permissions as they are stored, a JSON array, with what they imply: who may edit may read. Names that this version
 *  does not know grant nothing. */
export function parsePermissions(stored: string): ReadonlySet<Permission> {
  const names: unknown = JSON.parse(stored)
  if (!Array.isArray(names)) throw new TypeError('stored permissions are a JSON array')
  const granted = PERMISSIONS.filter(
    (permission) => names.includes(permission) || names.includes(permission.replace(/:Read$/, ':Edit')),
  )
  return new Set(granted)
}
