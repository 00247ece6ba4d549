import type { Permission } from '#model/permission.ts'
import { newId } from '#store/id.ts'
import { type Store, statement } from '#store/store.ts'
import { foundCache } from './found-cache.ts'
import { type Grants, grantsIn } from './policy.ts'
import type { Token } from './tokens.ts'

/** Who asks, and what it may do: `permissions` in the account itself, and where its zones differ, `permissionsIn`. */
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

export interface Members {
  addMember(accountId: string, userId: string, role: Role): Promise<void>
  removeMember(accountId: string, userId: string): Promise<boolean>
  principal(token: Token, accountId: string): Promise<Principal | undefined>
  memberships(userId: string): Promise<readonly Membership[]>
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

/** Which account a token acts in; what each function promises stands in `Accounts`. */
export function openMembers({ store, clock }: { store: Store; clock: () => number }): Members {
  /** The account as its own tokens see it, or as a member does. */
  const accounts = foundCache<AccountRow>({ max: PAIRS_KEPT, clock })

  return {
    async addMember(accountId, userId, role) {
      const params = [newId(), userId, accountId, role, clock()]
      await store.commit([{ statement: insertMember, params }])
      accounts.forget(key(userId, accountId))
    },

    async removeMember(accountId, userId) {
      try {
        const removed = await store.commit([
          { statement: deleteMember, params: [userId, accountId], rows: 1 },
        ])
        return removed.ok
      } finally {
        // Also where the commit's answer was lost: it may have been made.
        accounts.forget(key(userId, accountId))
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
      return (
        account && {
          tokenId: token.id,
          accountId,
          accountName: account.name,
          ...grants,
          sendingEnabled: account.sending_enabled === 1,
          ...(account.role === 'admin' && grants.permissions.has(ADMINISTERS) && { administrator: true }),
        }
      )
    },

    async memberships(userId) {
      const rows = await store.all(membershipsOf, [userId])
      return rows.map((row) => ({
        id: row.id,
        role: row.role === 'admin' ? 'admin' : 'member',
        accountId: row.account_id,
        accountName: row.name,
        accountCreatedAt: row.created_at,
      }))
    },
  }
}

// A space is in no id, so two keys never meet.
function key(userId: string | null, accountId: string): string {
  return `${userId ?? ''} ${accountId}`
}
