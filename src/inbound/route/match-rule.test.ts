import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Address, foldAddress } from '#model/address.ts'
import { parseAddress } from '#protocol/address.ts'
import type { CatchAll, LiteralRule } from '#registry/routes/rule.ts'
import { baseOf, matchRule } from './match-rule.ts'

const common = {
  zoneId: 'z'.repeat(32),
  zoneName: 'example.com',
  name: '',
  wanted: true,
  enabled: true,
  action: { type: 'drop' },
  managed: { source: 'api', ownerWorkerTag: null },
  modifiedAt: 1,
} as const

function rule(address: string, more: Partial<LiteralRule> = {}): LiteralRule {
  const parsed = at(address)
  return {
    ...common,
    id: address,
    matcher: 'literal',
    domain: parsed.slice(parsed.lastIndexOf('@') + 1),
    address: parsed,
    addressKey: foldAddress(parsed),
    priority: 0,
    createdAt: 1,
    ...more,
  }
}

function catchAllOf(domain: string, more: Partial<CatchAll> = {}): CatchAll {
  return { ...common, id: `*@${domain}`, matcher: 'all', domain, createdAt: 1, ...more }
}

function at(text: string): Address {
  const parsed = parseAddress(text)
  assert.ok(typeof parsed === 'string', text)
  return parsed
}

interface Given {
  readonly rules?: readonly LiteralRule[]
  readonly catchAll?: CatchAll
  readonly subaddressing?: boolean
}

function matched(recipient: string, { rules = [], catchAll, subaddressing = true }: Given) {
  return matchRule(rules, catchAll, at(recipient), { subaddressing })?.id
}

test('an address has its own rule, whatever the case of either', () => {
  const rules = [rule('Info@Example.com'), rule('other@example.com')]
  assert.equal(matched('INFO@example.COM', { rules }), 'Info@Example.com')
  assert.equal(matched('nobody@example.com', { rules }), undefined)
  assert.equal(matched('info@sub.example.com', { rules }), undefined)
})

test('the lowest priority goes first, then the oldest, then the lower id', () => {
  const address = 'info@example.com'
  const rules = [
    rule(address, { id: 'young', priority: 1, createdAt: 9 }),
    rule(address, { id: 'old', priority: 1, createdAt: 5 }),
    rule(address, { id: 'later', priority: 2, createdAt: 1 }),
    rule(address, { id: 'also-old', priority: 1, createdAt: 5 }),
  ]
  assert.equal(matched(address, { rules }), 'also-old')
  assert.equal(matched(address, { rules: rules.toReversed() }), 'also-old')
})

test('what does not work is passed over', () => {
  const rules = [
    rule('info@example.com', { id: 'off', enabled: false, wanted: false }),
    rule('info@example.com', { id: 'unverified', enabled: false, wanted: true }),
    rule('info@example.com', { id: 'on', priority: 9 }),
  ]
  assert.equal(matched('info@example.com', { rules }), 'on')
  assert.equal(matched('info@example.com', { rules: rules.slice(0, 2) }), undefined)
  const catchAll = catchAllOf('example.com')
  assert.equal(matched('info@example.com', { rules: rules.slice(0, 2), catchAll }), '*@example.com')
})

test('an exact rule comes before that of the base address, whatever their priorities', () => {
  const base = rule('user@example.com')
  const detail = rule('user+Detail@example.com', { priority: 100 })
  assert.equal(matched('user+detail@example.com', { rules: [base, detail] }), detail.id)
  assert.equal(matched('user+other@example.com', { rules: [base, detail] }), base.id)
  assert.equal(matched('user+detail+more@example.com', { rules: [base, detail] }), base.id)
  assert.equal(matched('user+detail@example.com', { rules: [base], subaddressing: false }), undefined)
  const off = { ...detail, enabled: false }
  assert.equal(matched('user+detail@example.com', { rules: [base, off] }), base.id)
})

test('what has no base address has none', () => {
  for (const none of ['+detail@example.com', '"a b+c"@example.com', 'user@example.com'])
    assert.equal(baseOf(at(none)), undefined, none)
  assert.equal(baseOf(at('user+@example.com')), 'user@example.com')
  assert.equal(baseOf(at('üser+x@example.com')), 'üser@example.com')
})

test('a catch-all takes what is left of its own domain', () => {
  const catchAll = catchAllOf('example.com')
  assert.equal(matched('nobody@example.com', { catchAll }), catchAll.id)
  assert.equal(matched('nobody@sub.example.com', { catchAll }), undefined)
  assert.equal(matched('nobody@example.com', { catchAll: { ...catchAll, enabled: false } }), undefined)
  const rules = [rule('info@example.com', { priority: 2_147_483_647 })]
  assert.equal(matched('info@example.com', { rules, catchAll }), 'info@example.com')
  assert.equal(matched('info+x@example.com', { rules, catchAll }), 'info@example.com')
  assert.equal(matched('info+x@example.com', { rules, catchAll, subaddressing: false }), catchAll.id)
})

const locals = fc.constantFrom('a', 'A', 'b', 'a+x', 'A+X', 'a+x+y', '+x', 'ä', 'Ä', 'b+')
const domains = fc.constantFrom('example.com', 'sub.example.com', 'other.example')
const addresses = fc.tuple(locals, domains).map(([local, domain]) => `${local}@${domain}`)
const someRules = fc.array(
  fc
    .tuple(addresses, fc.nat(3), fc.nat(3), fc.boolean())
    .map(([address, priority, createdAt, enabled]) => ({ address, priority, createdAt, enabled })),
  { maxLength: 12 },
)
const world = fc.record({
  rules: someRules.map((all) => all.map(({ address, ...more }, i) => rule(address, { ...more, id: `${i}` }))),
  catchAll: fc.option(
    fc.tuple(domains, fc.boolean()).map(([domain, enabled]) => catchAllOf(domain, { enabled })),
    { nil: undefined },
  ),
  subaddressing: fc.boolean(),
})

test('any rules, any recipient: what matches works, is for the recipient, and nothing goes before it', () => {
  fc.assert(
    fc.property(world, addresses, ({ rules, catchAll, subaddressing }, text) => {
      const recipient = at(text)
      const found = matchRule(rules, catchAll, recipient, { subaddressing })
      const keys = [recipient, ...(subaddressing ? [baseOf(recipient) ?? recipient] : [])].map(foldAddress)
      const rank = (each: LiteralRule) => [
        keys.indexOf(each.addressKey),
        each.priority,
        each.createdAt,
        each.id,
      ]
      const fitting = rules
        .filter((each) => each.enabled && keys.includes(each.addressKey))
        .toSorted((one, other) => compare(rank(one), rank(other)))
      if (fitting.length > 0) assert.equal(found, fitting[0])
      else {
        const takes = catchAll?.enabled === true && text.endsWith(`@${catchAll.domain}`)
        assert.equal(found, takes ? catchAll : undefined)
      }
    }),
  )
})

test('neither the order of the rules nor the case of the recipient matters', () => {
  fc.assert(
    fc.property(world, addresses, fc.func(fc.nat()), ({ rules, catchAll, subaddressing }, text, key) => {
      const found = matchRule(rules, catchAll, at(text), { subaddressing })
      const shuffled = rules.toSorted((one, other) => key(one.id) - key(other.id))
      assert.equal(matchRule(shuffled, catchAll, at(text), { subaddressing }), found)
      assert.equal(matchRule(rules, catchAll, at(text.toUpperCase()), { subaddressing }), found)
      assert.equal(matchRule(rules, catchAll, at(text.toLowerCase()), { subaddressing }), found)
    }),
  )
})

function compare(one: readonly (number | string)[], other: readonly (number | string)[]): number {
  for (const [index, value] of one.entries()) {
    const against = other[index] ?? 0
    if (value !== against) return value < against ? -1 : 1
  }
  return 0
}
