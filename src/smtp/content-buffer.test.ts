import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ContentBuffer, memoryBudget, memoryShares } from './content-buffer.ts'

const KIB = 1024

test('a share takes from the whole, and no more than its own', () => {
  const shares = memoryShares({ limit: 100, most: 70 })
  const [one, two] = [shares.of('one'), shares.of('two')]
  const free = () => [one.free, two.free, shares.of('three').free]
  assert.ok(!one.take(71))
  assert.ok(one.take(60))
  assert.ok(!one.take(11))
  assert.ok(!shares.of('one').take(11), 'however often it is asked for')
  assert.deepEqual(free(), [10, 40, 40])
  assert.ok(!two.take(41), 'the whole has no more')
  assert.ok(two.take(40))
  assert.deepEqual(free(), [0, 0, 0])
  one.giveBack(60)
  assert.deepEqual(free(), [60, 30, 60])
  two.giveBack(40)
  assert.deepEqual(free(), [70, 70, 70])
})

test('a content of an announced size takes that much, before its first octet and until its last', () => {
  const budget = memoryBudget(1000 * KIB)
  const gathered = new ContentBuffer(budget)
  assert.ok(gathered.reserve(300 * KIB))
  for (let sent = 0; sent < 300; sent += 1) {
    assert.ok(gathered.append(Buffer.alloc(KIB)))
    assert.equal(budget.free, 700 * KIB)
  }
  gathered.release()
  assert.equal(budget.free, 1000 * KIB)
})

test('one that announced too little grows, and nothing grows past the limit', () => {
  const budget = memoryBudget(10_000 * KIB)
  for (const size of [undefined, 1, 300 * KIB, 500 * KIB, 501 * KIB]) {
    const gathered = new ContentBuffer(budget, 500 * KIB)
    assert.ok(gathered.reserve(size))
    for (let sent = 0; sent < 500; sent += 1) assert.ok(gathered.append(Buffer.alloc(KIB, 'x')))
    assert.equal(gathered.content.length, 500 * KIB)
    assert.ok(gathered.content.every((octet) => octet === 0x78))
    assert.equal(budget.free, 9500 * KIB, `${size} announced`)
    gathered.release()
  }
  assert.equal(budget.free, 10_000 * KIB)
})

test('where there is no room it says so at once, and takes nothing', () => {
  const budget = memoryBudget(15 * KIB)
  const gathered = new ContentBuffer(budget)
  assert.ok(!gathered.reserve())
  assert.ok(!gathered.reserve(16 * KIB))
  assert.equal(budget.free, 15 * KIB)
  assert.ok(gathered.reserve(15 * KIB))
})

test('whatever is appended comes back, and what was taken is given back', () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 40_000, size: 'max' }), { maxLength: 12 })
  fc.assert(
    fc.property(chunks, fc.option(fc.nat({ max: 300_000 })), (pieces, size) => {
      const budget = memoryBudget(Number.MAX_SAFE_INTEGER)
      const gathered = new ContentBuffer(budget)
      if (size !== null) assert.ok(gathered.reserve(size))
      for (const piece of pieces) assert.ok(gathered.append(Buffer.from(piece)))
      assert.deepEqual(gathered.content, Buffer.concat(pieces))
      gathered.release()
      assert.equal(budget.free, Number.MAX_SAFE_INTEGER)
    }),
    { numRuns: 50 },
  )
})
