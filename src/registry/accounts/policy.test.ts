import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { PERMISSIONS, type Permission } from '#model/permission.ts'
import { lackingFor } from './lacking-for.ts'
import { groupOf, groupOfId, isCalled, PERMISSION_GROUPS } from './permission-groups.ts'
import {
  allowedSomewhere,
  grantsIn,
  grantsOverUser,
  isGrantedSomewhere,
  type Policy,
  parsePolicies,
  permissionsIn,
  storedPolicies,
} from './policy.ts'
import { parseResources, type WrittenResources } from './resource.ts'
import type { Token } from './tokens.ts'

const A = 'a'.repeat(32)
const B = 'b'.repeat(32)
const ZONE = '1'.repeat(32)
const OTHER_ZONE = '2'.repeat(32)
const USER = 'd'.repeat(32)
const account = (id: string) => ({ [`com.cloudflare.api.account.${id}`]: '*' })
const zone = (id: string) => ({ [`com.cloudflare.api.account.zone.${id}`]: '*' })
const zonesOf = (id: string) => ({ [`com.cloudflare.api.account.${id}`]: zone('*') })

function policy(
  effect: Policy['effect'],
  permissions: readonly Permission[],
  written: WrittenResources,
): Policy {
  const parsed = parseResources(written)
  assert.ok(parsed.ok, JSON.stringify(written))
  return { id: '0'.repeat(32), effect, permissions, written, resources: parsed.resources }
}

const allow = (permissions: readonly Permission[], written: WrittenResources) =>
  policy('allow', permissions, written)
const deny = (permissions: readonly Permission[], written: WrittenResources) =>
  policy('deny', permissions, written)
const namesIn = (policies: readonly Policy[], zoneId: string) => {
  const grants = grantsIn(policies, A)
  return grants && [...permissionsIn(grants, zoneId)]
}

test('a policy over an account gives its permissions there, in all of its zones, and nowhere else', () => {
  const policies = [allow(['Zone DNS:Edit'], account(A))]
  assert.deepEqual(grantsIn(policies, A), { permissions: new Set(['Zone DNS:Read', 'Zone DNS:Edit']) })
  assert.deepEqual(namesIn(policies, ZONE), ['Zone DNS:Read', 'Zone DNS:Edit'])
  assert.equal(grantsIn(policies, B), undefined)
  assert.ok(grantsIn([allow(['Zone DNS:Read'], account('*'))], B))
})

test('a policy over a zone gives nothing in its account, nor in another zone', () => {
  const policies = [allow(['Email Sending:Edit'], zone(ZONE)), allow(['Zone DNS:Read'], zonesOf(A))]
  const grants = grantsIn(policies, A)
  assert.ok(grants)
  assert.equal(grants.permissions.size, 0)
  assert.deepEqual(namesIn(policies, ZONE), ['Email Sending:Read', 'Email Sending:Edit', 'Zone DNS:Read'])
  assert.deepEqual(namesIn(policies, OTHER_ZONE), ['Zone DNS:Read'])
  assert.equal(isGrantedSomewhere(grants, 'Email Sending:Edit'), true)
  assert.equal(isGrantedSomewhere(grants, 'Workers:Read'), false)
})

test('what is denied no other policy gives, and who may not read may not edit', () => {
  const policies = [
    allow(['Email Sending:Edit', 'Zone DNS:Edit'], account(A)),
    deny(['Email Sending:Read'], zone(ZONE)),
    deny(['Zone DNS:Edit'], account('*')),
  ]
  const grants = grantsIn(policies, A)
  assert.deepEqual(
    [...(grants?.permissions ?? [])],
    ['Email Sending:Read', 'Email Sending:Edit', 'Zone DNS:Read'],
  )
  assert.deepEqual(namesIn(policies, ZONE), ['Zone DNS:Read'])
  assert.deepEqual(namesIn(policies, OTHER_ZONE), [
    'Email Sending:Read',
    'Email Sending:Edit',
    'Zone DNS:Read',
  ])
  assert.equal(
    grantsIn([allow(['Workers:Read'], account(A)), deny(['Workers:Read'], account(A))], A),
    undefined,
  )
})

test('the user is a resource of its own', () => {
  const policies = [allow(['Account Settings:Edit'], { [`com.cloudflare.api.user.${USER}`]: '*' })]
  assert.equal(grantsOverUser(policies, USER, 'Account Settings:Read'), true)
  assert.equal(grantsOverUser(policies, A, 'Account Settings:Read'), false)
  assert.equal(grantsIn(policies, A), undefined)
  assert.equal(
    grantsOverUser([allow(['Account Settings:Edit'], account('*'))], USER, 'Account Settings:Read'),
    false,
  )
})

test('what is no resource is none', () => {
  const bad: WrittenResources[] = [
    { 'com.cloudflare.api.account': '*' },
    { [`com.cloudflare.api.account.${A}`]: 'read' },
    { [`com.cloudflare.api.account.${A}`]: {} },
    { [`com.cloudflare.api.account.${A}`]: account(B) },
    { [`com.cloudflare.api.account.zone.${ZONE}`]: zone(ZONE) },
    { [`com.cloudflare.api.account.${A.toUpperCase()}x`]: '*' },
    { 'com.cloudflare.edge.r2.bucket.x': '*' },
    { '': '*' },
  ]
  for (const written of bad) assert.equal(parseResources(written).ok, false, JSON.stringify(written))
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.dictionary(fc.string(), fc.string()))),
      (written) => {
        const parsed = parseResources(written)
        if (parsed.ok) assert.equal(Object.keys(written).length, 0)
      },
    ),
  )
})

const somePermissions = fc.uniqueArray(fc.constantFrom(...PERMISSIONS), { minLength: 1, maxLength: 4 })
const someResources = fc.constantFrom<WrittenResources>(
  ...[account(A), account(B), account('*'), zone(ZONE), zone(OTHER_ZONE), zone('*'), zonesOf(A), zonesOf(B)],
)
const somePolicies = fc.array(
  fc
    .tuple(fc.constantFrom('allow', 'allow', 'deny'), somePermissions, someResources)
    .map(([effect, permissions, written]) =>
      policy(effect === 'deny' ? 'deny' : 'allow', permissions, written),
    ),
  { minLength: 1, maxLength: 4 },
)
const accountOfZone = new Map([
  [ZONE, A],
  [OTHER_ZONE, B],
])

function holding(policies: readonly Policy[]): Token {
  const permissions = allowedSomewhere(policies)
  return { id: 't', hash: 'h', accountId: null, userId: USER, permissions, policies }
}

/** Everything that policies give, as far as one can look: in two accounts and a zone of each. */
function reach(policies: readonly Policy[]): Set<string> {
  return new Set(
    [A, B].flatMap((accountId) => {
      const grants = grantsIn(policies, accountId)
      if (!grants) return []
      const zones = [...accountOfZone.keys()].filter((id) => accountOfZone.get(id) === accountId)
      const there = (place: string, permissions: ReadonlySet<Permission>) =>
        [...permissions].map((permission) => `${place} ${permission}`)
      return [
        ...there(accountId, grants.permissions),
        ...zones.flatMap((id) => there(id, permissionsIn(grants, id))),
        ...there(`${accountId} new zone`, permissionsIn(grants, '3'.repeat(32))),
      ]
    }),
  )
}

test('who may give policies reaches all that they reach', () => {
  fc.assert(
    fc.property(somePolicies, somePolicies, (held, given) => {
      if (lackingFor(holding(held), given, accountOfZone) === undefined) {
        assert.ok(reach(given).isSubsetOf(reach(held)))
      }
    }),
    { numRuns: 500 },
  )
})

test('without denials, who holds policies may give the same', () => {
  fc.assert(
    fc.property(somePolicies, (held) => {
      const policies = held.filter(({ effect }) => effect === 'allow')
      assert.equal(lackingFor(holding(policies), policies, accountOfZone), undefined)
    }),
  )
})

test('denying never gives, and nothing reaches further than what is allowed somewhere', () => {
  fc.assert(
    fc.property(somePolicies, somePermissions, someResources, (policies, permissions, written) => {
      const less = reach([...policies, deny(permissions, written)])
      assert.ok(less.isSubsetOf(reach(policies)))
      const allowed = allowedSomewhere(policies)
      for (const place of less) assert.ok([...allowed].some((permission) => place.endsWith(permission)))
    }),
  )
})

test('policies survive being stored', () => {
  fc.assert(
    fc.property(somePolicies, (policies) =>
      assert.deepEqual(parsePolicies(storedPolicies(policies)), policies),
    ),
  )
})

test('every permission has a group, found by id and by each of its spellings', () => {
  assert.equal(new Set(PERMISSION_GROUPS.map(({ id }) => id)).size, PERMISSIONS.length)
  for (const permission of PERMISSIONS)
    assert.equal(groupOfId(groupOf(permission).id)?.permission, permission)
  const sending = groupOf('Email Sending:Edit')
  for (const name of ['Email Sending Write', 'Email Sending: Edit', 'email sending:edit'])
    assert.equal(isCalled(sending, name), true, name)
  assert.equal(isCalled(sending, 'Email Sending Read'), false)
})
