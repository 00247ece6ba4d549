import { join } from 'node:path'
import { PERMISSIONS } from '#model/permission.ts'
import type { Account, Accounts } from '#registry/accounts/accounts.ts'
import { keptToken } from '#registry/accounts/kept-token.ts'
import type { Domains } from '#registry/domains/domains.ts'

export interface Development {
  readonly accountId: string
  readonly zoneId: string
  readonly apiToken: string
  /** Who signs in to the dashboard with one click, or with this password, which stays the one it was made with. */
  readonly admin: { readonly email: string; readonly password: string }
}

/** What the first start of a development instance makes and every later one finds: an account, a token with every
 *  permission, its administrator, and each zone, onboarded for sending and routing. Each step is repeated until it
 *  holds, so a start that was killed half-way is finished by the next. `zoneId` is the first zone's. */
export async function ensureDevelopment(
  directory: string,
  zones: readonly [string, ...string[]],
  registry: { readonly accounts: Accounts; readonly domains: Domains },
): Promise<Development> {
  const { accounts, domains } = registry
  const account = (await developmentAccount(accounts)) ?? (await accounts.createAccount(ACCOUNT))
  const accountId = account.id
  // The store has its hash only, and `dev.json` must show it again.
  const apiToken = await keptToken(join(directory, 'dev-token'))
  await accounts.importToken(accountId, { name: ACCOUNT, permissions: PERMISSIONS, secret: apiToken })
  await domains.ensureServiceKeys()
  const [first, ...others] = zones
  const admin = { email: `admin@${first}`, password: await keptToken(join(directory, 'admin-password')) }
  await ensureAdmin(admin, accountId, accounts)
  const zoneId = await ensureZone(first, accountId, domains)
  for (const zone of others) await ensureZone(zone, accountId, domains)
  return { accountId, zoneId, apiToken, admin }
}

/** Its password is set once: what somebody changes it to stays. */
async function ensureAdmin(
  { email, password }: Development['admin'],
  accountId: string,
  accounts: Accounts,
): Promise<void> {
  const known = await accounts.people.userOfEmail(email)
  const isSet = known?.password !== undefined
  const made = isSet ? known : await accounts.people.setUser({ email, password, operator: true })
  if (made === 'busy') throw new Error('nobody else sets a password while the instance starts')
  await accounts.addMember(accountId, made.id, 'admin')
}

const ACCOUNT = 'Development'

/** Undefined until the first start has come that far. */
export function developmentAccount(accounts: Accounts): Promise<Account | undefined> {
  return accounts.accountNamed(ACCOUNT)
}

/** A zone that cannot be had, in a sentence for whoever configured it. */
export class ZoneUnusable extends Error {
  override readonly name = 'ZoneUnusable'
}

async function ensureZone(name: string, accountId: string, domains: Domains): Promise<string> {
  const created = await domains.createZone(accountId, name, { active: true })
  if (created.kind !== 'created' && created.kind !== 'existed') {
    throw new ZoneUnusable(`POSTHORN_DEV_ZONES: ${name} cannot be a zone here: ${created.kind}`)
  }
  const zoneId = created.zone.id
  // Once: what its user took out again stays out.
  const request = { accountId, zoneId, name, active: true, once: true }
  for (const result of await Promise.all([
    domains.onboardSending(request),
    domains.onboardRouting(request),
  ])) {
    if (result.kind !== 'onboarded') {
      throw new ZoneUnusable(`POSTHORN_DEV_ZONES: ${name} cannot be onboarded: ${result.kind}`)
    }
  }
  return zoneId
}
