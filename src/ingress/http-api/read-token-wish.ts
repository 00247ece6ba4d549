import type { TokenWish } from '#contract/tokens.ts'
import { type IpRanges, isIpRange } from '#registry/accounts/ip-ranges.ts'
import { groupOfId, type PermissionGroup } from '#registry/accounts/permission-groups.ts'
import type { Policy } from '#registry/accounts/policy.ts'
import { parseResources, type Resource } from '#registry/accounts/resource.ts'
import type { TokenOwner } from '#registry/accounts/tokens.ts'
import type { Fault } from './serve-operation.ts'

export interface WishedToken {
  readonly name: string
  readonly policies: readonly Policy[]
  readonly ipRanges: IpRanges | undefined
  readonly notBefore: number | null
  readonly expiresAt: number | null
}

export interface WishWorld {
  readonly owner: TokenOwner
  /** Whether the owner acts in the account. */
  readonly actsIn: (accountId: string) => boolean
  /** Of each zone that is named and exists. */
  readonly accountOfZone: ReadonlyMap<string, string>
  readonly newId: () => string
}

/** What a client wishes of a token, with every name in it known and the owner's own, or the fault that names the field.
 *  What is another's reads as what nobody has. */
export function readTokenWish(wish: TokenWish, world: WishWorld): WishedToken | Fault {
  const policies: Policy[] = []
  for (const [index, policy] of wish.policies.entries()) {
    const read = readPolicy(policy, ['policies', String(index)], world)
    if ('status' in read) return read
    policies.push(read)
  }
  const ipRanges = readIpRanges(wish.condition?.request_ip ?? undefined)
  if (ipRanges && 'status' in ipRanges) return ipRanges
  const notBefore = readMoment(wish.not_before)
  const expiresAt = readMoment(wish.expires_on)
  if (notBefore !== null && expiresAt !== null && expiresAt <= notBefore) {
    return fault("'expires_on' must be later than 'not_before'.", ['expires_on'])
  }
  return { name: wish.name, policies, ipRanges, notBefore, expiresAt }
}

/** The zones that a wish names. */
export function zonesNamed(policies: TokenWish['policies']): readonly string[] {
  return policies.flatMap(({ resources }) => {
    const parsed = parseResources(resources)
    return parsed.ok ? parsed.resources.flatMap((one) => (one.kind === 'zone' ? [one.id] : [])) : []
  })
}

function readPolicy(
  { effect, permission_groups, resources: written }: TokenWish['policies'][number],
  at: readonly string[],
  world: WishWorld,
): Policy | Fault {
  const parsed = parseResources(written)
  const inResources = [...at, 'resources']
  if (!parsed.ok)
    return fault(`${JSON.stringify(parsed.at.at(-1))} is no resource.`, [...inResources, ...parsed.at])
  if (parsed.resources.length === 0) return fault('A policy must name at least one resource.', inResources)
  const foreign = parsed.resources.find((resource) => !isOwn(resource, world))
  if (foreign) {
    return fault(
      `There is no ${foreign.kind === 'zones' ? 'account' : foreign.kind} ${foreign.id}.`,
      inResources,
    )
  }
  const groups: PermissionGroup[] = []
  for (const [index, { id }] of permission_groups.entries()) {
    const where = [...at, 'permission_groups', String(index), 'id']
    const group = groupOfId(id)
    if (!group) return fault(`There is no permission group ${JSON.stringify(id.slice(0, 40))}.`, where)
    const fits = parsed.resources.some(({ kind }) => group.scopes.includes(SCOPE_OF[kind]))
    if (!fits) {
      const detail = `"${group.name}" cannot be given over these resources: it is for ${group.scopes.join(', ')}.`
      return fault(detail, where)
    }
    groups.push(group)
  }
  const permissions = [...new Set(groups.map(({ permission }) => permission))]
  return { id: world.newId(), effect, permissions, written, resources: parsed.resources }
}

const SCOPE_OF = {
  user: 'com.cloudflare.api.user',
  account: 'com.cloudflare.api.account',
  zones: 'com.cloudflare.api.account.zone',
  zone: 'com.cloudflare.api.account.zone',
} as const satisfies Record<Resource['kind'], string>

function isOwn({ kind, id }: Resource, { owner, actsIn, accountOfZone }: WishWorld): boolean {
  switch (kind) {
    case 'user':
      return id === owner.userId
    case 'account':
      // An account's token has one account, and names it.
      return id === '*' ? owner.userId !== null : actsIn(id)
    case 'zones':
      return id === '*' || actsIn(id)
    case 'zone':
      return actsIn(accountOfZone.get(id) ?? '')
  }
}

function readIpRanges(
  given:
    | { readonly in?: string[] | null | undefined; readonly not_in?: string[] | null | undefined }
    | undefined,
): IpRanges | undefined | Fault {
  for (const list of ['in', 'not_in'] as const) {
    const index = given?.[list]?.findIndex((text) => !isIpRange(text)) ?? -1
    if (index >= 0) {
      const detail = 'An address, or a range such as 192.0.2.0/24 or 2001:db8::/32.'
      return fault(detail, ['condition', 'request_ip', list, String(index)])
    }
  }
  // An empty list stands for none: it would let nobody in.
  const inside = given?.in?.length ? { in: given.in } : undefined
  const outside = given?.not_in?.length ? { not_in: given.not_in } : undefined
  return inside || outside ? { ...inside, ...outside } : undefined
}

function readMoment(text: string | null | undefined): number | null {
  return text == null ? null : Date.parse(text)
}

function fault(detail: string, path: readonly string[]): Fault {
  const pointer = path
    .map((key) => `/${key.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`)
    .join('')
  return { status: 400, code: 1001, message: 'Request body is invalid', detail, pointer }
}
