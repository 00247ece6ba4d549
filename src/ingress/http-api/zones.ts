import type { FastifyInstance } from 'fastify'
import { pageInfo } from '#contract/paging.ts'
import {
  checkActivation,
  createZone,
  deleteZone,
  editZone,
  getZone,
  listZones,
  type ZoneBody,
} from '#contract/zones.ts'
import { parseDomainName } from '#protocol/domain-name.ts'
import type { Account, Accounts } from '#registry/accounts/accounts.ts'
import { type AuditActor, auditWrite } from '#registry/accounts/audit.ts'
import { permissionsIn } from '#registry/accounts/policy.ts'
import type { NoteZone } from '#registry/domains/activate-zone.ts'
import type { Domains } from '#registry/domains/domains.ts'
import type { MailSetup, NotMended } from '#registry/domains/mail-setup.ts'
import type { Zone, ZoneCreation } from '#registry/domains/zones.ts'
import { apiTime } from './api-time.ts'
import { onboardingFault } from './onboarding-faults.ts'
import { auditBy } from './onboarding-world.ts'
import {
  type Asker,
  type Fault,
  LACKING,
  NO_SUCH_OBJECT,
  type ServedBy,
  serveOperation,
  serveUserOperation,
} from './serve-operation.ts'
import { isWanted, orderBy, type ZoneEntry } from './zone-filter.ts'

export interface ZonesWorld extends ServedBy {
  readonly domains: Pick<Domains, 'zone' | 'zones' | 'zoneControl'>
  readonly mailSetup: Pick<MailSetup, 'mend'>
}

/** `/zones`. */
export function zoneRoutes(api: FastifyInstance, world: ZonesWorld): void {
  const { accounts, domains, mailSetup } = world
  const { zoneControl } = domains

  serveUserOperation(api, { operation: listZones, world }, async ({ by, query }) => {
    const found = (await visibleZones(by, world)).filter((entry) => isWanted(entry, query))
    const sorted = found.toSorted(orderBy(query))
    const shown = sorted.slice((query.page - 1) * query.per_page, query.page * query.per_page)
    const result = shown.map((entry) => bodyOf(entry, domains))
    return { result, info: pageInfo(query, result.length, found.length) }
  })

  serveUserOperation(api, { operation: createZone, world }, async ({ by, body }) => {
    const account = await accountToUse(by, body.account?.id, accounts)
    if ('status' in account) return account
    const name = parseDomainName(body.name)
    if (typeof name !== 'string') return invalid('name', name.detail)
    const { type, dns } = body
    if (type === 'full' && dns === 'manual') return invalid('dns', FULL_IS_HOSTED)
    const creation = await zoneControl.claim(
      account.id,
      name,
      { type, ...(dns && { dns }) },
      note({ actor: by.audit, accountId: account.id }, domains),
    )
    if (creation.kind !== 'created') return notCreated(creation, name)
    return detailOf({ zone: creation.zone, account }, domains)
  })

  serveOperation(api, { operation: getZone, world }, async ({ by, accountId, params }) => {
    const found = await find(accountId, params)
    // A token that is limited to other zones does not see this one.
    if (!found || permissionsIn(by.principal, found.zone.id).size === 0) return NO_SUCH_OBJECT
    return detailOf(found, domains)
  })

  serveOperation(api, { operation: editZone, world }, async ({ by, accountId, params, body }) => {
    const found = await find(accountId, params)
    if (!found) return NO_SUCH_OBJECT
    const changed = await zoneControl.change(found.zone, body, note({ actor: by.audit, accountId }, domains))
    if (changed.kind === 'gone') return NO_SUCH_OBJECT
    if (changed.kind === 'full-is-hosted') return invalid('dns', FULL_IS_HOSTED)
    const { zone } = changed
    const mends = changed.kind === 'changed' && zone.status === 'active' && zone.dns === 'hosted'
    const left = mends ? await mailSetup.mend(zone, auditBy(by.audit)) : []
    const answer = await detailOf({ zone, account: found.account }, domains)
    return { ...answer, messages: left.map(notMended) }
  })

  serveOperation(api, { operation: deleteZone, world }, async ({ by, accountId, params }) => {
    const found = await find(accountId, params)
    if (!found) return NO_SUCH_OBJECT
    const removed = await zoneControl.remove(found.zone, note({ actor: by.audit, accountId }, domains))
    return removed ? { result: { id: found.zone.id } } : NO_SUCH_OBJECT
  })

  serveOperation(api, { operation: checkActivation, world }, async ({ by, accountId, params }) => {
    const found = await find(accountId, params)
    if (!found) return NO_SUCH_OBJECT
    await zoneControl.check(found.zone, note({ actor: by.audit, accountId }, domains))
    return { result: { id: found.zone.id } }
  })

  async function find(
    accountId: string,
    params: Readonly<Record<string, string>>,
  ): Promise<ZoneEntry | undefined> {
    const zone = await domains.zone(accountId, params['zone_id'] ?? '')
    const account = await accounts.account(accountId)
    return zone && account && { zone, account }
  }
}

const FULL_IS_HOSTED = 'A full zone is hosted here: a zone that stays elsewhere is of the type "partial".'

/** The zone was changed all the same; what is left to do, its state in DNS tells too. */
function notMended({ name, mail, refused }: NotMended) {
  const { code, detail } = onboardingFault(refused)
  const message = `The records of ${name} for ${mail} could not be written. ${detail}`
  return { code, message, type: null }
}

/** Who asked, and about a zone of which account; or the service by itself. */
type By = 'system' | { readonly actor: AuditActor; readonly accountId: string }

/** Lines of the audit log about zones, which are another account's where a zone passed on from it: that one does not
 *  learn who proved it, nor from where (promise 6). */
export function noteZones(by: By, domains: Pick<Domains, 'zoneControl'>): NoteZone {
  return ({ before, after, at }) => {
    const zone = after ?? before
    if (!zone) return []
    const actor = by !== 'system' && by.accountId === zone.accountId ? by.actor : 'system'
    const action = !before
      ? 'zone.create'
      : !after
        ? 'zone.delete'
        : after.status === before.status
          ? 'zone.update'
          : after.status === 'active'
            ? 'zone.activate'
            : 'zone.deactivate'
    return [
      auditWrite({
        ...{ accountId: zone.accountId, actor, action, at, zone: zone.name },
        resource: { type: 'zone', id: zone.id },
        ...(before && { before: told(before, domains) }),
        ...(after && { after: told(after, domains) }),
      }),
    ]
  }
}

const note = noteZones

function told(
  { name, status, type, dns, ...zone }: Zone,
  { zoneControl }: Pick<Domains, 'zoneControl'>,
): object {
  return {
    name,
    status,
    type,
    dns,
    name_servers: zoneControl.proofOf({ name, status, type, dns, ...zone }).nameServers,
  }
}

async function visibleZones(by: Asker, { accounts, domains }: ZonesWorld): Promise<ZoneEntry[]> {
  const entries = await Promise.all(
    (await accountsOf(by, accounts)).map(async (account) => {
      const principal = await by.principalIn(account.id)
      if (!principal) return []
      const zones = await domains.zones(account.id)
      return zones
        .filter(({ id }) => permissionsIn(principal, id).size > 0)
        .map((zone) => ({ zone, account }))
    }),
  )
  return entries.flat()
}

async function accountsOf({ token }: Asker, accounts: Accounts): Promise<ZoneEntry['account'][]> {
  if (token.accountId !== null) {
    const account = await accounts.account(token.accountId)
    return account ? [account] : []
  }
  const memberships = token.userId === null ? [] : await accounts.memberships(token.userId)
  return memberships.map(({ accountId, accountName }) => ({ id: accountId, name: accountName }))
}

async function accountToUse(
  by: Asker,
  wanted: string | undefined,
  accounts: Accounts,
): Promise<Account | Fault> {
  const accountId = wanted?.toLowerCase() ?? by.token.accountId
  if (accountId === null)
    return invalid('account', 'This token acts in several accounts: name one, as {"account": {"id": "…"}}.')
  const [principal, account] = [await by.principalIn(accountId), await accounts.account(accountId)]
  if (!principal || !account) return NO_SUCH_OBJECT
  // A zone that is not there yet is nobody's alone: it takes the word of the whole account.
  if (!principal.permissions.has('Zone DNS:Edit'))
    return { ...LACKING, detail: 'The API token lacks the permission "Zone DNS:Edit" in this account.' }
  return account
}

async function detailOf(
  entry: ZoneEntry,
  domains: Pick<Domains, 'zoneControl'>,
): Promise<{ readonly result: ZoneBody & { delegated_names: string[] } }> {
  const names = await domains.zoneControl.proofOf(entry.zone).delegatedNames()
  return { result: { ...bodyOf(entry, domains), delegated_names: [...names] } }
}

function bodyOf({ zone, account }: ZoneEntry, { zoneControl }: Pick<Domains, 'zoneControl'>): ZoneBody {
  const { txt, nameServers } = zoneControl.proofOf(zone)
  const { id, name } = account
  return {
    ...{ id: zone.id, name: zone.name, status: zone.status, type: zone.type, dns: zone.dns },
    paused: false,
    development_mode: 0,
    name_servers: [...nameServers],
    original_name_servers: null,
    original_registrar: null,
    original_dnshost: null,
    created_on: apiTime(zone.createdAt),
    modified_on: apiTime(zone.modifiedAt),
    activated_on: zone.activatedAt === null ? null : apiTime(zone.activatedAt),
    account: { id, name },
    owner: { id, name, type: 'organization' },
    plan: { id: PLAN, name: 'Self-hosted', price: 0, is_subscribed: true },
    meta: { step: zone.status === 'active' ? 4 : 2, dns_only: true, phishing_detected: false },
    permissions: [],
    verification_key: txt.content,
    verification: {
      record: { type: 'TXT', ...txt },
      checked_on: zone.checkedAt === null ? null : apiTime(zone.checkedAt),
      problem: zone.checkDetail,
    },
  }
}

/** There are no plans; clients want the field. */
const PLAN = '0'.repeat(32)

function invalid(field: string, detail: string): Fault {
  return { status: 400, code: 1001, message: 'Request body is invalid', detail, pointer: `/${field}` }
}

function notCreated(creation: Exclude<ZoneCreation, { kind: 'created' }>, name: string): Fault {
  const pointer = '/name'
  switch (creation.kind) {
    case 'existed':
      return { status: 400, code: 1061, message: `${name} already exists`, pointer }
    case 'taken': {
      const detail = `${name}, or a zone above or below it, is active in another account.`
      return { status: 400, code: 1061, message: `${name} cannot be added`, detail, pointer }
    }
    case 'reserved': {
      const detail = `${name} belongs to the service itself.`
      return { status: 400, code: 1097, message: `${name} cannot be added`, detail, pointer }
    }
    case 'too-many-pending': {
      const whose = creation.of === 'account' ? 'zones of this account' : `zones of the name ${name}`
      const detail = `${creation.limit} ${whose} wait for proof already: prove some, or remove them.`
      return { status: 400, code: 1118, message: `${name} cannot be added`, detail, pointer }
    }
    case 'too-deep':
      return invalid('name', `The name of a zone may have ${creation.labels} labels at most.`)
  }
}
