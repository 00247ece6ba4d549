import type { Permission } from '#model/permission.ts'
import { newId } from '#store/id.ts'
import { type Store, statement } from '#store/store.ts'
import { foundCache } from './found-cache.ts'
import type { Token } from './tokens.ts'

/** Who asks, and what it may do. */
export interface Principal {
  readonly tokenId: string
  readonly accountId: string
  readonly accountName: string
  readonly permissions: ReadonlySet<Permission>
  /** The account's own switch. */
  readonly sendingEnabled: boolean
}

export interface Members {
  addMember(accountId: string, userId: string): Promise<void>
  removeMember(accountId: string, userId: string): Promise<boolean>
  principal(token: Token, accountId: string): Promise<Principal | undefined>
}

/** What every membership has until roles mean something. */
const ROLE = 'member'
const PAIRS_KEPT = 10_000
const ID = /^[0-9a-f]{32}$/

interface AccountRow {
  readonly name: string
  readonly sending_enabled: number
}

const ownAccount = statement<AccountRow>(
  'member.own-account',
  'select name, sending_enabled from account where id = $1',
)

const accountOfMember = statement<AccountRow>(
  'member.account',
  `select account.name, account.sending_enabled
   from membership join account on account.id = membership.account_id
   where membership.user_id = $1 and membership.account_id = $2`,
)

const insertMember = statement(
  'member.insert',
  `insert into membership (id, user_id, account_id, role, created_at) values ($1, $2, $3, '${ROLE}', $4)
   on conflict (user_id, account_id) do nothing`,
)

const deleteMember = statement(
  'member.delete',
  'delete from membership where user_id = $1 and account_id = $2',
)

/** Which account a token acts in; what each function promises stands in `Accounts`. */
export function openMembers({ store, clock }: { store: Store; clock: () => number }): Members {
  /** The account as its own tokens see it, or as a member does. */
  const accounts = foundCache<AccountRow>({ max: PAIRS_KEPT, clock })

  return {
    async addMember(accountId, userId) {
      const params = [newId(), userId, accountId, clock()]
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
      const { userId } = token
      // The id comes from strangers: what no account can have is not looked for.
      if (userId === null ? token.accountId !== accountId : !ID.test(accountId)) return undefined
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
          permissions: token.permissions,
          sendingEnabled: account.sending_enabled === 1,
        }
      )
    },
  }
}

// A space is in no id, so two keys never meet.
function key(userId: string | null, accountId: string): string {
  return `${userId ?? ''} ${accountId}`
}
