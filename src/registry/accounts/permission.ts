/** What a token may do, in the original's words: `Email Sending:Edit` is "Email Sending: Edit" (newer-facts.md). */
export const PERMISSIONS = [
  'Account Settings:Read',
  'Account Settings:Edit',
  'Analytics:Read',
  'Analytics:Edit',
  'Email Routing Addresses:Read',
  'Email Routing Addresses:Edit',
  'Email Routing Rules:Read',
  'Email Routing Rules:Edit',
  'Email Sending:Read',
  'Email Sending:Edit',
  'Workers:Read',
  'Workers:Edit',
  'Zone DNS:Read',
  'Zone DNS:Edit',
] as const

export type Permission = (typeof PERMISSIONS)[number]

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
