import { createPrivateKey, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { LRUCache } from 'lru-cache'
import type { SigningIdentity } from '#model/draft.ts'
import { ROUTING_SELECTOR } from '#model/service.ts'
import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import type { Vault } from '#vault/vault.ts'
import type { MailService } from './onboarding-records.ts'

/** A key as it lies in the store. The account is null for the service's own keys. */
export interface DkimKeyRow {
  readonly id: string
  readonly account_id: string | null
  readonly domain_name: string
  readonly selector: string
  /** SubjectPublicKeyInfo in base64, as DNS shows it. */
  readonly public_key: string
  /** PKCS #8, sealed by the vault; empty once the key is retired. */
  readonly private_key: string
}

/** `publishing`: in DNS, until it was seen there. `active`: it signs. `retiring`: in DNS for the verifiers of what it
 *  signed. `retired`: neither. */
export type KeyState = 'publishing' | 'active' | 'retiring' | 'retired'

/** A key of a domain, with where it stands and since when (ms). */
export interface DomainKey extends DkimKeyRow {
  readonly state: KeyState
  readonly state_at: number
  readonly created_at: number
}

/** Whom a new key belongs to. Both ids are null for the service's own. */
export interface KeyOwner {
  readonly domainId: string | null
  readonly accountId: string | null
  readonly domainName: string
  readonly selector: string
  /** What it signs; `routing` for the service's own. */
  readonly mail?: MailService
}

/** The one key of the service itself: it signs as `email.<service>`. */
export const SERVICE_KEY = { selector: ROUTING_SELECTOR } as const

// RFC 8301 §3.2: 1024 bits at least, 2048 recommended; longer ones do not fit what many DNS panels take.
const MODULUS_BITS = 2048
// A parsed key costs a few KiB and 0.1 ms to parse.
const PARSED_KEYS = 5000

const COLUMNS = 'id, account_id, domain_name, selector, public_key, private_key'

const keyOfDomain = statement<DkimKeyRow>(
  'dkim-key.of-domain',
  `select ${COLUMNS} from dkim_key
   where domain_id = $1 and mail = $2 and state = 'active' and account_id = $3`,
)

const keysOfDomain = statement<DomainKey>(
  'dkim-key.all-of-domain',
  `select ${COLUMNS}, state, state_at, created_at from dkim_key
   where domain_id = $1 and mail = $2 and account_id = $3
   order by created_at, length(selector), selector`,
)

const keyOfService = statement<DkimKeyRow>(
  'dkim-key.of-service',
  `select ${COLUMNS} from dkim_key where domain_name = $1 and selector = $2 and domain_id is null`,
)

const insertKey = statement(
  'dkim-key.insert',
  `insert into dkim_key
     (id, domain_id, account_id, domain_name, selector, public_key, private_key, created_at, mail, state, state_at)
   values ($1, $2, $3, $4, $5, $6, $7, cast($8 as bigint), $9, $10, cast($8 as bigint))
   on conflict do nothing`,
)

/** The key that signs the domain's mail. */
export function findDomainKey(
  store: Store,
  owner: { accountId: string; domainId: string; mail: MailService },
): Promise<DkimKeyRow | undefined> {
  return store.get(keyOfDomain, [owner.domainId, owner.mail, owner.accountId])
}

/** Every key that the domain has or had for a service, oldest first. */
export function keysOf(
  store: Store,
  owner: { accountId: string; domainId: string; mail: MailService },
): Promise<DomainKey[]> {
  return store.all(keysOfDomain, [owner.domainId, owner.mail, owner.accountId])
}

export function findServiceKey(store: Store, domainName: string): Promise<DkimKeyRow | undefined> {
  return store.get(keyOfService, [domainName, SERVICE_KEY.selector])
}

export interface DkimKeyPair {
  /** SubjectPublicKeyInfo in base64. */
  readonly publicKey: string
  readonly privateKey: KeyObject
}

/** On the thread pool: finding the primes takes a tenth of a second or more. */
export async function generateDkimKey(): Promise<DkimKeyPair> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: MODULUS_BITS })
  return { publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'), privateKey }
}

/** Conflicts where the name has a key for this selector already, or the domain one in this state. */
export function keyWrite(
  owner: KeyOwner,
  pair: DkimKeyPair,
  { vault, at, state = 'active' }: { vault: Vault; at: number; state?: 'publishing' | 'active' },
): Write {
  const id = newId()
  const sealed = vault.seal(
    pair.privateKey.export({ type: 'pkcs8', format: 'der' }),
    sealedAs(id, owner.accountId),
  )
  const { domainId, accountId, domainName, selector, mail = 'routing' } = owner
  const params = [id, domainId, accountId, domainName, selector, pair.publicKey, sealed, at, mail, state]
  return { statement: insertKey, params, rows: 1 }
}

/** Opens and parses keys, each once: a key never changes under its id. */
export function keyring(vault: Vault): { identity(row: DkimKeyRow): SigningIdentity } {
  const parsed = new LRUCache<string, KeyObject>({ max: PARSED_KEYS })
  return {
    identity(row) {
      let key = parsed.get(row.id)
      if (!key) {
        const der = vault.open(row.private_key, sealedAs(row.id, row.account_id))
        key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
        parsed.set(row.id, key)
      }
      return { domain: row.domain_name, selector: row.selector, key }
    },
  }
}

/** What a sealed key is bound to, so that no row can be passed off as another's. */
function sealedAs(id: string, accountId: string | null) {
  return { table: 'dkim_key', row: id, account: accountId ?? '' }
}
