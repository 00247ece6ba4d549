import { type MemberBody, ROLE_IDS, type RoleBody } from '#contract/members.ts'
import { PERMISSIONS, type Permission } from '#model/permission.ts'
import type { Invitation } from '#registry/accounts/invitations.ts'
import type { Member, Role } from '#registry/accounts/members.ts'
import { permissionsOfRole } from '#registry/accounts/session-token.ts'
import { apiTime } from './api-time.ts'

/** Both roles, in the order in which they are listed. */
export const ROLES: readonly RoleBody[] = [
  role('admin', 'Administrator', 'May do everything in the account, its members and tokens included.'),
  role('member', 'Member', 'May do everything but account settings, members and tokens.'),
]

function role(key: Role, name: RoleBody['name'], description: string): RoleBody {
  const granted = permissionsOfRole(key)
  const has = (permission: Permission) => granted.includes(permission)
  const permissions = Object.fromEntries(
    PERMISSIONS.filter((permission) => permission.endsWith(':Read')).map((read) => [
      read.replace(':Read', '').toLowerCase().replaceAll(' ', '_'),
      {
        read: has(read),
        write: PERMISSIONS.some((edit) => edit === read.replace(':Read', ':Edit') && has(edit)),
      },
    ]),
  )
  return { id: ROLE_IDS[key], name, description, permissions }
}

export function roleOfId(id: string | undefined): Role | undefined {
  const folded = id?.toLowerCase()
  return folded === ROLE_IDS.admin ? 'admin' : folded === ROLE_IDS.member ? 'member' : undefined
}

const NAMELESS = { first_name: null, last_name: null, two_factor_authentication_enabled: false } as const

export function memberBody({ id, role, userId, email, createdAt }: Member): MemberBody {
  return {
    ...{ id, status: 'accepted', user: { id: userId, email, ...NAMELESS } },
    ...{ roles: rolesOf(role), created_on: apiTime(createdAt), expires_on: null },
  }
}

export function invitedBody({ id, role, email, createdAt, expiresAt }: Invitation): MemberBody {
  return {
    ...{ id, status: 'pending', user: { id: null, email, ...NAMELESS } },
    ...{ roles: rolesOf(role), created_on: apiTime(createdAt), expires_on: apiTime(expiresAt) },
  }
}

function rolesOf(role: Role): RoleBody[] {
  return ROLES.filter(({ id }) => id === ROLE_IDS[role])
}
