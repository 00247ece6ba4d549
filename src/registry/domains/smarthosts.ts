import type { ServiceNames } from '#model/service.ts'
import type { Smarthost, SmarthostSetting } from '#model/smarthost.ts'
import { parseDomainName } from '#protocol/domain-name.ts'
import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import type { Vault } from '#vault/vault.ts'
import { briefCache } from './brief-cache.ts'
import { checkSmarthostSetting, type SettingFault } from './smarthost-setting.ts'

/** Where mail goes in place of its recipients' MX. In: settings of customers, and the operator's own. Out: the smarthost
 *  of a message, if it has one.
 *  Promise: passwords lie sealed in the store; what one account set is never used, seen or changed by another; a
 *  setting that cannot be read is an error and never "none", so that mail does not take the other way unasked. */
export interface Smarthosts {
  /** The domain's, else the account's, else the installation's. From memory for 5 s at most; what this process changed
   *  it sees at once. A setting that was changed has a new id, so that a connection under the old one is never taken
   *  for it. Rejects where the store is out of reach, or with SealBroken. */
  smarthostFor(accountId: string, domainId: string | null): Promise<Smarthost | undefined>
  /** The operator's. */
  readonly installation: Smarthost | undefined
  /** The account itself, or its domain of this name in any spelling; undefined where it has none. */
  scope(accountId: string, domainName?: string): Promise<NamedScope | undefined>
  /** What is set for the scope itself, as the store has it now. */
  get(scope: SmarthostScope): Promise<StoredSmarthost | undefined>
  /** Puts the setting in the place of what was there. `no-such-domain`: the account has no such domain (any more). */
  set(
    scope: SmarthostScope,
    setting: SmarthostSetting,
    record?: RecordSmarthost,
  ): Promise<StoredSmarthost | SettingFault | 'no-such-domain'>
  /** False where there was nothing. */
  remove(scope: SmarthostScope, record?: RecordSmarthost): Promise<boolean>
}

/** What of a setting may be told. */
export interface SmarthostFacts {
  readonly host: string
  readonly port: number
  readonly tls: Smarthost['tls']
  readonly username: string | null
}

/** What is to be in the commit of a change besides: its line in the audit log. */
export type RecordSmarthost = (change: {
  readonly before?: SmarthostFacts
  readonly after?: SmarthostFacts
  readonly at: number
}) => readonly Write[]

/** One domain of an account, or (null) the account as a whole. The installation's is configuration. */
export interface SmarthostScope {
  readonly accountId: string
  readonly domainId: string | null
}

export interface NamedScope extends SmarthostScope {
  /** In lower-case A-labels; null for the account as a whole. */
  readonly domainName: string | null
}

export interface StoredSmarthost extends Smarthost {
  /** Milliseconds since 1970. */
  readonly createdAt: number
  readonly modifiedAt: number
}

export interface SmarthostsWorld {
  readonly store: Store
  readonly vault: Vault
  readonly service: Pick<ServiceNames, 'domain'>
  /** Milliseconds since 1970. */
  readonly clock: () => number
  /** The operator's, for all mail that has no other. */
  readonly installation?: SmarthostSetting | undefined
}

interface SmarthostRow {
  readonly id: string
  readonly host: string
  readonly port: number
  readonly tls: Smarthost['tls']
  readonly username: string | null
  /** Sealed by the vault. */
  readonly password: string | null
  readonly created_at: number
  readonly modified_at: number
}

const anySmarthost = statement<{ readonly found: number }>(
  'smarthost.any',
  'select 1 as found from smarthost limit 1',
)

const COLUMNS = 'id, host, port, tls, username, password, created_at, modified_at'
const ofScope = `coalesce(account_id, '') = $1 and coalesce(domain_id, '') = $2`

const smarthostOfScope = statement<SmarthostRow>(
  'smarthost.of-scope',
  `select ${COLUMNS} from smarthost where ${ofScope}`,
)

// One row for each scope, and only for a domain of this very account. It conflicts where the setting is not the one that
// was seen: its id is new with every change.
const setSmarthost = statement<SmarthostRow>(
  'smarthost.set',
  `insert into smarthost (id, account_id, domain_id, host, port, tls, username, password, created_at, modified_at)
   select $1, $2, $3, $4, $5, $6, $7, $8, $9, $9
   where cast($3 as text) is null or exists (select 1 from domain where id = $3 and account_id = $2)
   on conflict (coalesce(account_id, ''), coalesce(domain_id, '')) do update set
     id = excluded.id, host = excluded.host, port = excluded.port, tls = excluded.tls,
     username = excluded.username, password = excluded.password, modified_at = excluded.modified_at
   where smarthost.id = $10
   returning ${COLUMNS}`,
)

const removeSmarthost = statement('smarthost.remove', `delete from smarthost where ${ofScope} and id = $3`)

// The one that sends, where an account holds the name in two of its zones (as `domain.of-sender` has it).
const domainOfName = statement<{ readonly id: string }>(
  'smarthost.domain-of-name',
  `select domain.id from domain join zone on zone.id = domain.zone_id
   where domain.name = $1 and domain.account_id = $2
   order by case zone.status when 'active' then 0 else 1 end, length(zone.name) desc limit 1`,
)

const SCOPES_KEPT = 10_000
// Each lost race means that somebody else set it.
const RACES = 10
const ANY = 'any'

export function openSmarthosts({ store, vault, service, clock, installation }: SmarthostsWorld): Smarthosts {
  const scopes = briefCache<Smarthost | undefined>({ max: SCOPES_KEPT, clock })
  // Most installations have none in the store: then nobody asks for any scope.
  const any = briefCache<boolean>({ max: 1, clock })
  const ownersOwn: Smarthost | undefined = installation && {
    ...installation,
    id: 'installation',
    trusted: true,
  }

  const anyThere = () => any.get(ANY, async () => (await store.get(anySmarthost, [])) !== undefined)

  function opened(row: SmarthostRow, accountId: string): StoredSmarthost {
    const { id, host, port, tls, username, password } = row
    const login =
      username === null || password === null
        ? {}
        : { login: { username, password: vault.open(password, sealedAs(id, accountId)).toString('utf8') } }
    const times = { createdAt: row.created_at, modifiedAt: row.modified_at }
    return { id, host, port, tls, ...login, trusted: false, ...times }
  }

  const rowOf = ({ accountId, domainId }: SmarthostScope) =>
    store.get(smarthostOfScope, [accountId, domainId ?? ''])

  async function get(scope: SmarthostScope): Promise<StoredSmarthost | undefined> {
    const row = await rowOf(scope)
    return row && opened(row, scope.accountId)
  }

  const remembered = (scope: SmarthostScope) => scopes.get(keyOf(scope), () => get(scope))

  function forget(scope: SmarthostScope): void {
    scopes.forget(keyOf(scope))
    any.forget(ANY)
  }

  return {
    async smarthostFor(accountId, domainId) {
      if (!(await anyThere())) return ownersOwn
      const ofDomain = domainId === null ? undefined : await remembered({ accountId, domainId })
      return ofDomain ?? (await remembered({ accountId, domainId: null })) ?? ownersOwn
    },

    installation: ownersOwn,

    async scope(accountId, domainName) {
      if (domainName === undefined) return { accountId, domainId: null, domainName: null }
      const name = parseDomainName(domainName)
      if (typeof name !== 'string') return undefined
      const domain = await store.get(domainOfName, [name, accountId])
      return domain && { accountId, domainId: domain.id, domainName: name }
    },

    get,

    async set(scope, wish, record = () => []) {
      const setting = checkSmarthostSetting(wish, service.domain)
      if ('field' in setting) return setting
      const { accountId, domainId } = scope
      const { host, port, tls, login } = setting
      const username = login?.username ?? null
      for (let race = 0; race < RACES; race++) {
        const before = await rowOf(scope)
        const id = newId()
        const at = clock()
        const sealed = login ? vault.seal(login.password, sealedAs(id, accountId)) : null
        const params = [id, accountId, domainId, host, port, tls, username, sealed, at, before?.id ?? '']
        const after = { host, port, tls, username }
        const committed = await store.commit([
          { statement: setSmarthost, params, rows: 1 },
          ...record({ ...(before && { before: factsOf(before) }), after, at }),
        ])
        forget(scope)
        if (!committed.ok) {
          if ((await rowOf(scope))?.id === before?.id) return 'no-such-domain'
          continue
        }
        // Rows arrive in the shape that `returning` names, and one was expected.
        const [row] = (committed.rows[0] ?? []) as readonly SmarthostRow[]
        if (!row) throw new Error('setting a smarthost returned no row')
        return opened(row, accountId)
      }
      throw new Error(`setting a smarthost lost ${RACES} races in a row`)
    },

    async remove(scope, record = () => []) {
      for (let race = 0; race < RACES; race++) {
        const before = await rowOf(scope)
        if (!before) return false
        const params = [scope.accountId, scope.domainId ?? '', before.id]
        const committed = await store.commit([
          { statement: removeSmarthost, params, rows: 1 },
          ...record({ before: factsOf(before), at: clock() }),
        ])
        forget(scope)
        if (committed.ok) return true
      }
      throw new Error(`removing a smarthost lost ${RACES} races in a row`)
    },
  }
}

function factsOf({ host, port, tls, username }: SmarthostRow): SmarthostFacts {
  return { host, port, tls, username }
}

/** A space is in no id, so two keys never meet. */
function keyOf({ accountId, domainId }: SmarthostScope): string {
  return `${accountId} ${domainId ?? ''}`
}

/** What a sealed password is bound to, so that no row can be passed off as another's. */
function sealedAs(id: string, accountId: string) {
  return { table: 'smarthost', row: id, account: accountId }
}
