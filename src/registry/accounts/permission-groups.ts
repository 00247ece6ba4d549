import { hash } from 'node:crypto'
import { PERMISSIONS, type Permission } from '#model/permission.ts'

/** A permission as the API of tokens names it. */
export interface PermissionGroup {
  /** The same in every installation. */
  readonly id: string
  /** The original says Write where its dashboard says Edit. */
  readonly name: string
  readonly permission: Permission
  readonly scopes: readonly GroupScope[]
}

export type GroupScope =
  | 'com.cloudflare.api.account'
  | 'com.cloudflare.api.account.zone'
  | 'com.cloudflare.api.user'

/** What there is in a single zone; the rest is of an account as a whole. */
const IN_ZONES = /^(?:Analytics|Email Routing Rules|Email Sending|Zone DNS):/
/** Over the user: its tokens and its key. */
const OVER_USERS = /^Account Settings:/

export const PERMISSION_GROUPS: readonly PermissionGroup[] = PERMISSIONS.map((permission) => ({
  id: hash('sha256', `permission group ${permission}`).slice(0, 32),
  name: permission.replace(':Read', ' Read').replace(':Edit', ' Write'),
  permission,
  scopes: [
    'com.cloudflare.api.account',
    ...(IN_ZONES.test(permission) ? (['com.cloudflare.api.account.zone'] as const) : []),
    ...(OVER_USERS.test(permission) ? (['com.cloudflare.api.user'] as const) : []),
  ],
}))

const byId = new Map(PERMISSION_GROUPS.map((group) => [group.id, group]))
const byPermission = new Map(PERMISSION_GROUPS.map((group) => [group.permission, group]))

export function groupOfId(id: string): PermissionGroup | undefined {
  return byId.get(id.toLowerCase())
}

export function groupOf(permission: Permission): PermissionGroup {
  const group = byPermission.get(permission)
  if (!group) throw new Error(`no group for ${permission}`)
  return group
}

/** Whether somebody who says "Email Sending Write", "Email Sending: Edit" or "email sending:edit" means the group. */
export function isCalled(group: PermissionGroup, name: string): boolean {
  const plain = (text: string) =>
    text
      .toLowerCase()
      .replace(/\bedit\b/, 'write')
      .replaceAll(/[\s:]+/g, ' ')
      .trim()
  return plain(group.name) === plain(name)
}
