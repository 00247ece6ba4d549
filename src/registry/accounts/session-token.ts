import { PERMISSIONS, type Permission } from '#model/permission.ts'
import type { Membership, Role } from './members.ts'
import { allowedSomewhere, type Policy } from './policy.ts'
import { accountResource, type Resource, userResources } from './resource.ts'
import type { Session } from './sessions.ts'
import type { Token } from './tokens.ts'

/** What only an administrator may: the account itself, its members, its tokens and its audit log. */
const ADMINISTERS: ReadonlySet<Permission> = new Set(['Account Settings:Read', 'Account Settings:Edit'])
const OF_MEMBERS = PERMISSIONS.filter((permission) => !ADMINISTERS.has(permission))

/** What somebody with this role may do in the account. */
export function permissionsOfRole(role: Role): readonly Permission[] {
  return role === 'admin' ? PERMISSIONS : OF_MEMBERS
}

/** A session as the token that it stands for: in each account of the user what the role there allows. An administrator
 *  somewhere manages tokens of its own as well, which can do no more than it may itself. */
export function sessionToken(session: Session, memberships: readonly Membership[]): Token {
  const { id, hash, userId } = session
  const of = (role: Membership['role']) => memberships.filter((membership) => membership.role === role)
  const admins = of('admin')
  const self: readonly Resource[] = [{ kind: 'user', id: userId }]
  const policies = [
    policy(`${id} admin`, permissionsOfRole('admin'), admins.map(accountOf)),
    policy(`${id} member`, permissionsOfRole('member'), of('member').map(accountOf)),
    ...(admins.length === 0 ? [] : [policy(`${id} user`, [...ADMINISTERS], self)]),
  ]
  return {
    ...{ id, hash, accountId: null, userId, policies, permissions: allowedSomewhere(policies) },
    session: { operator: session.operator },
  }
}

function accountOf({ accountId }: Membership): Resource {
  return { kind: 'account', id: accountId }
}

function policy(id: string, permissions: readonly Permission[], resources: readonly Resource[]): Policy {
  const written = Object.assign(
    {},
    ...resources.map(({ kind, id }) => (kind === 'user' ? userResources(id) : accountResource(id))),
  )
  return { id, effect: 'allow', permissions: resources.length === 0 ? [] : permissions, resources, written }
}
