import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Accounts } from '#registry/accounts/accounts.ts'
import { PERMISSIONS } from '#registry/accounts/permission.ts'
import { newTokenSecret } from '#registry/accounts/token-secret.ts'
import type { Domains } from '#registry/domains/domains.ts'

export const DEVELOPMENT_ZONE = 'yourdomain.com'

export interface Development {
  readonly accountId: string
  readonly zoneId: string
  readonly apiToken: string
}

/** What the first start of a development instance makes and every later one finds: an account, a token with every
 *  permission, and the zone of the specification's examples, onboarded for sending and routing. Each step is repeated
 *  until it holds, so a start that was killed half-way is finished by the next. */
export async function ensureDevelopment(
  directory: string,
  { accounts, domains }: { readonly accounts: Accounts; readonly domains: Domains },
): Promise<Development> {
  const account =
    (await accounts.accountNamed('Development')) ?? (await accounts.createAccount('Development'))
  const accountId = account.id
  const apiToken = await keptToken(join(directory, 'dev-token'))
  await accounts.importToken(accountId, { name: 'Development', permissions: PERMISSIONS, secret: apiToken })
  const created = await domains.createZone(accountId, DEVELOPMENT_ZONE, { active: true })
  if (created.kind !== 'created' && created.kind !== 'existed') {
    throw new Error(`the zone ${DEVELOPMENT_ZONE} cannot be created: ${created.kind}`)
  }
  const request = { accountId, zoneId: created.zone.id, name: DEVELOPMENT_ZONE, active: true }
  const onboarded = await Promise.all([
    domains.onboardSending(request),
    domains.onboardRouting(request),
    domains.ensureServiceKeys(),
  ])
  for (const result of onboarded) {
    if ('kind' in result && result.kind !== 'onboarded') {
      throw new Error(`${DEVELOPMENT_ZONE} cannot be onboarded: ${result.kind}`)
    }
  }
  return { accountId, zoneId: created.zone.id, apiToken }
}

/** The token's secret, readable by its owner alone: the store has its hash only, and `dev.json` must show it again. */
async function keptToken(path: string): Promise<string> {
  try {
    return (await readFile(path, 'utf8')).trim()
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    const secret = newTokenSecret()
    await writeFile(path, `${secret}\n`, { mode: 0o600, flag: 'wx', flush: true })
    return secret
  }
}
