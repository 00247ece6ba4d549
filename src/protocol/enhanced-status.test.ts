import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { splitEnhanced } from './enhanced-status.ts'

const CASES: readonly (readonly [text: string, enhanced: string | undefined, rest: string])[] = [
  ['5.1.1 User unknown', '5.1.1', 'User unknown'],
  ['2.0.0 Ok: queued as 4T1', '2.0.0', 'Ok: queued as 4T1'],
  ['4.2.2', '4.2.2', ''],
  ['5.7.350 Remote server returned an error', '5.7.350', 'Remote server returned an error'],
  ['#5.1.0 Address rejected', '5.1.0', 'Address rejected'],
  ['Sorry, no mailbox here by that name. (#5.1.1)', '5.1.1', 'Sorry, no mailbox here by that name. (#5.1.1)'],
  ['5.1.1 First\n5.1.1 Second\nThird', '5.1.1', 'First\nSecond\nThird'],
  ['User unknown', undefined, 'User unknown'],
  ['5.1.1.7 is an address', undefined, '5.1.1.7 is an address'],
  ['3.1.1 no such class', undefined, '3.1.1 no such class'],
  ['5.1234.1 no such subject', undefined, '5.1234.1 no such subject'],
  ['host 5.1.1 said no', undefined, 'host 5.1.1 said no'],
  ['', undefined, ''],
]
for (const [text, enhanced, rest] of CASES) {
  test(`RFC 2034 ${JSON.stringify(text)} has ${enhanced ?? 'no enhanced code'}`, () => {
    assert.deepEqual(splitEnhanced(text), enhanced === undefined ? { text: rest } : { enhanced, text: rest })
  })
}

test('any reply text: a code that is found is a code, and a text without one is left alone', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from('245.019#( \nab')) }), (text) => {
      const result = splitEnhanced(text)
      if (result.enhanced === undefined) assert.equal(result.text, text)
      else assert.match(result.enhanced, /^[245]\.\d{1,3}\.\d{1,3}$/)
    }),
  )
})
