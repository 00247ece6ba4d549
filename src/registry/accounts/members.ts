import type { Permission } from '#model/permission.ts'
import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import { foundCache } from './found-cache.ts'
import { type Grants, grantsIn } from './policy.ts'
import { permissionsOfRole } from './session-token.ts'
import type { Token } from './tokens.ts'

/** Who asks, and what it may do: `permissions` in the account itself, and where its zones differ, `permissionsIn`. Of a
 *  user's token no more than the user's role allows. */
export interface Principal extends Grants {
  readonly tokenId: string
  readonly accountId: string
  readonly accountName: string
  /** The account's own switch. */
  readonly sendingEnabled: boolean
  /** May do what only an administrator may: the token may edit the account, and its user, if any, has that role. */
  readonly administrator?: true
}

/** `admin` may do everything that a token can be given, `member` what no administrator's word is needed for. */
export type Role = 'admin' | 'member'

export interface Membership {
  readonly id: string
  readonly role: Role
  readonly accountId: string
  readonly accountName: string
  readonly accountCreatedAt: number
}

/** A member as the account sees it. */
export interface Member {
  readonly id: string
  readonly role: Role
  readonly userId: string
  readonly email: string
  readonly createdAt: number
}

/** The members of one account. */
export interface Team {
  /** Those who joined first at the front. */
  list(accountId: string): Promise<readonly Member[]>
  get(accountId: string, memberId: string): Promise<Member | undefined>
  /** `last-admin`: nobody would administer the account any more; nothing was changed. */
  setRole(member: Member, accountId: string, role: Role, also: readonly Write[]): Promise<TeamChange>
  remove(member: Member, accountId: string, also: readonly Write[]): Promise<TeamChange>
}

export type TeamChange = 'done' | 'last-admin' | 'gone'

export interface Members extends Team {
  addMember(accountId: string, userId: string, role: Role, also?: readonly Write[]): Promise<void>
  removeMember(accountId: string, userId: string): Promise<boolean>
  principal(token: Token, accountId: string): Promise<Principal | undefined>
  memberships(userId: string): Promise<readonly Membership[]>
  /** The same from memory, for 5 s at most. */
  rolesOf(userId: string): Promise<readonly Membership[]>
  /** The write that makes somebody a member, for the commit of what leads to it; `joined` is to be called after that. */
  joins(accountId: string, userId: string, role: Role): Write
  joined(accountId: string, userId: string): void
}

const PAIRS_KEPT = 10_000
const ID = /^[0-9a-f]{32}$/
const ADMINISTERS: Permission = 'Account Settings:Edit'

interface AccountRow {
  readonly name: string
  readonly sending_enabled: number
  readonly role: string
}

// An account's own token stands for the account.
const ownAccount = statement<AccountRow>(
  'member.own-account',
  `select name, sending_enabled, 'admin' as role from account where id = $1`,
)

const accountOfMember = statement<AccountRow>(
  'member.account',
  `select account.name, account.sending_enabled, membership.role
   from membership join account on account.id = membership.account_id
   where membership.user_id = $1 and membership.account_id = $2`,
)

const insertMember = statement(
  'member.insert',
  `insert into membership (id, user_id, account_id, role, created_at) values ($1, $2, $3, $4, $5)
   on conflict (user_id, account_id) do nothing`,
)

const deleteMember = statement(
  'member.delete',
  'delete from membership where user_id = $1 and account_id = $2',
)

interface MembershipRow {
  readonly id: string
  readonly role: string
  readonly account_id: string
  readonly name: string
  readonly created_at: number
}

const membershipsOf = statement<MembershipRow>(
  'member.of-user',
  `select membership.id, membership.role, membership.account_id, account.name, account.created_at
   from membership join account on account.id = membership.account_id
   where membership.user_id = $1 order by membership.created_at, membership.id`,
)

interface MemberRow {
  readonly id: string
  readonly role: string
  readonly user_id: string
  readonly email: string
  readonly created_at: number
}

const MEMBER = `select membership.id, membership.role, membership.user_id, membership.created_at, service_user.email
  from membership join service_user on service_user.id = membership.user_id`

const membersOf = statement<MemberRow>(
  'member.of-account',
  `${MEMBER} where membership.account_id = $1 order by membership.created_at, membership.id`,
)

const memberById = statement<MemberRow>(
  'member.by-id',
  `${MEMBER} where membership.account_id = $1 and membership.id = $2`,
)

// Two administrators who take each other's role away come one after the other: each change locks the account's row.
const lockAccount = statement('member.lock-account', 'update account set id = id where id = $1')

const ANOTHER_ADMIN = `exists (select 1 from membership another
  where another.account_id = $1 and another.role = 'admin' and another.id <> $2)`

const updateRole = statement(
  'member.set-role',
  `update membership set role = $3
   where account_id = $1 and id = $2 and ($3 = 'admin' or role <> 'admin' or ${ANOTHER_ADMIN})`,
)

const deleteById = statement(
  'member.remove',
  `delete from membership where account_id = $1 and id = $2 and (role <> 'admin' or ${ANOTHER_ADMIN})`,
)

/** Which account a token acts in; what each function promises stands in `Accounts`. */
export function openMembers({ store, clock }: { store: Store; clock: () => number }): Members {
  /** The account as its own tokens see it, or as a member does. */
  const accounts = foundCache<AccountRow>({ max: PAIRS_KEPT, clock })
  /** By users. */
  const roles = foundCache<readonly Membership[]>({ max: PAIRS_KEPT, clock })

  function forget(userId: string, accountId: string): void {
    accounts.forget(key(userId, accountId))
    roles.forget(userId)
  }

  async function memberships(userId: string): Promise<readonly Membership[]> {
    const rows = await store.all(membershipsOf, [userId])
    return rows.map((row) => ({
      id: row.id,
      role: roleOf(row),
      accountId: row.account_id,
      accountName: row.name,
      accountCreatedAt: row.created_at,
    }))
  }

  async function get(accountId: string, memberId: string): Promise<Member | undefined> {
    const row = await store.get(memberById, [accountId, memberId])
    return row && memberOf(row)
  }

  async function change(
    { id, userId }: Member,
    accountId: string,
    set: readonly Write[],
  ): Promise<TeamChange> {
    try {
      const changed = await store.commit([{ statement: lockAccount, params: [accountId] }, ...set])
      if (changed.ok) return 'done'
      return (await get(accountId, id)) ? 'last-admin' : 'gone'
    } finally {
      // Also where the commit's answer was lost: it may have been made.
      forget(userId, accountId)
    }
  }

  const joins = (accountId: string, userId: string, role: Role): Write => ({
    statement: insertMember,
    params: [newId(), userId, accountId, role, clock()],
  })

  return {
    memberships,
    rolesOf: async (userId) => (await roles.get(userId, () => memberships(userId))) ?? [],
    joins,
    joined: (accountId, userId) => forget(userId, accountId),
    list: async (accountId) => (await store.all(membersOf, [accountId])).map(memberOf),
    get,
    setRole: (member, accountId, role, also) =>
      change(member, accountId, [
        { statement: updateRole, params: [accountId, member.id, role], rows: 1 },
        ...also,
      ]),
    remove: (member, accountId, also) =>
      change(member, accountId, [
        { statement: deleteById, params: [accountId, member.id], rows: 1 },
        ...also,
      ]),

    async addMember(accountId, userId, role, also = []) {
      await store.commit([joins(accountId, userId, role), ...also])
      forget(userId, accountId)
    },

    async removeMember(accountId, userId) {
      try {
        const removed = await store.commit([
          { statement: deleteMember, params: [userId, accountId], rows: 1 },
        ])
        return removed.ok
      } finally {
        // Also where the commit's answer was lost: it may have been made.
        forget(userId, accountId)
      }
    },

    async principal(token, accountId) {
      const { userId, policies } = token
      // The id comes from strangers: what no account can have is not looked for.
      if (userId === null ? token.accountId !== accountId : !ID.test(accountId)) return undefined
      const grants = policies ? grantsIn(policies, accountId) : { permissions: token.permissions }
      if (!grants) return undefined
      const account = await accounts.get(key(userId, accountId), () =>
        userId === null
          ? store.get(ownAccount, [accountId])
          : store.get(accountOfMember, [userId, accountId]),
      )
      if (!account) return undefined
      const role = roleOf(account)
      const { permissions, zones } = withinRole(grants, role)
      return {
        tokenId: token.id,
        accountId,
        accountName: account.name,
        permissions,
        ...(zones && { zones }),
        sendingEnabled: account.sending_enabled === 1,
        ...(role === 'admin' && permissions.has(ADMINISTERS) && { administrator: true }),
      }
    },
  }
}

/** What a token was given counts as far as its user's role reaches at the time: it may be from when that was another. */
function withinRole({ permissions, zones }: Grants, role: Role): Grants {
  if (role === 'admin') return { permissions, ...(zones && { zones }) }
  const most = new Set(permissionsOfRole(role))
  const within = (given: ReadonlySet<Permission>) => given.intersection(most)
  return {
    permissions: within(permissions),
    ...(zones && {
      zones: {
        every: within(zones.every),
        some: new Map([...zones.some].map(([id, given]) => [id, within(given)])),
      },
    }),
  }
}

function roleOf({ role }: { readonly role: string }): Role {
  return role === 'admin' ? 'admin' : 'member'
}

function memberOf(row: MemberRow): Member {
  const { id, user_id: userId, email, created_at: createdAt } = row
  return { id, role: roleOf(row), userId, email, createdAt }
}

// A space is in no id, so two keys never meet.
function key(userId: string | null, accountId: string): string {
  return `${userId ?? ''} ${accountId}`
}
