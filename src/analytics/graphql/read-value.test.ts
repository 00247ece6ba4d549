import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readValue, writeDate, writeTime } from './read-value.ts'

const at = (text: string) => ({ value: Date.parse(text) })
const said = (type: 'Date' | 'Time' | 'string' | 'uint8', raw: unknown) => {
  const read = readValue(type, raw)
  return 'wrong' in read ? read.wrong : read.value
}

test('dates and times as RFC 3339 has them, and nothing before 1970', () => {
  assert.deepEqual(readValue('Date', '2024-02-29'), at('2024-02-29'))
  assert.deepEqual(readValue('Date', '0001-01-01'), { value: 0 })
  assert.deepEqual(readValue('Time', '2024-07-15T00:00:00Z'), at('2024-07-15T00:00:00Z'))
  assert.deepEqual(readValue('Time', '2024-07-15t00:00:00.123456789z'), at('2024-07-15T00:00:00.123Z'))
  assert.deepEqual(readValue('Time', '2024-07-15T00:00:00.5+05:30'), at('2024-07-14T18:30:00.500Z'))
  assert.deepEqual(readValue('Time', '2024-07-15T23:59:60-00:30'), at('2024-07-16T00:29:59Z'))
})

test('what is wrong is named, with what is right', () => {
  const date = 'year, month and day, as in "2024-07-15"'
  const time = 'day and time of RFC 3339, as in "2024-07-15T00:00:00Z"'
  assert.equal(said('Date', '15.7.2024'), `"15.7.2024" is no Date: write ${date}`)
  assert.equal(said('Date', 20_240_715), `20240715 is no Date: write ${date}`)
  assert.equal(said('Date', '2024-02-30'), `"2024-02-30" is no Date: write a day that exists by ${date}`)
  assert.equal(
    said('Date', '2024-07-15T10:00:00Z'),
    '"2024-07-15T10:00:00Z" is no Date: write the day alone, "2024-07-15"',
  )
  assert.equal(
    said('Time', '2024-07-15'),
    '"2024-07-15" is no Time: write the time too, "2024-07-15T00:00:00Z"',
  )
  assert.equal(said('Time', 'now'), `"now" is no Time: write ${time}`)
  for (const wrong of ['2024-13-01T00:00:00Z', '2024-07-15T24:00:00Z', '2024-07-15T00:00:00+24:00'])
    assert.equal(said('Time', wrong), `"${wrong}" is no Time: write a moment that exists by ${time}`)
  for (const wrong of [
    ...['2024-07-15T10:00:00', '2024-07-15T10:00Z', '2024-07-15T10:00:00+0100'],
    '2024-07-15T10:00:00.1234567890Z',
  ]) {
    assert.equal(said('Time', wrong), `"${wrong}" is no Time: write ${time}`)
    assert.equal(said('Date', wrong), `"${wrong}" is no Date: write ${date}`)
  }
  assert.equal(said('string', 5), '5 is no string: write text in quotes')
  assert.equal(said('string', 'a\0b'), 'no text here has a NUL character in it')
  assert.equal(said('uint8', true), 'true is no uint8: write a whole number from 0 to 255')
  for (const wrong of [-1, 256, 0.5, '1', null]) assert.match(String(said('uint8', wrong)), /is no uint8/)
  assert.ok(String(said('Date', 'x'.repeat(10_000))).length < 250, 'and not repeated at length')
})

test('what is written is read back, and whatever comes is read or named', () => {
  const moment = fc.integer({ min: 0, max: Date.parse('9999-12-31T23:59:59Z') })
  fc.assert(
    fc.property(moment, (ms) => {
      assert.deepEqual(readValue('Date', writeDate(ms)), { value: ms - (ms % 86_400_000) })
      assert.deepEqual(readValue('Time', writeTime(ms)), { value: ms - (ms % 1000) })
      assert.deepEqual(readValue('Time', new Date(ms).toISOString()), { value: ms })
    }),
  )
  const digits = fc.string({ unit: fc.constantFrom(...Array.from('0123456789-:.TZ+ z')), maxLength: 30 })
  fc.assert(
    fc.property(fc.oneof(digits, fc.anything()), (raw) => {
      for (const type of ['Date', 'Time', 'string', 'uint8'] as const) {
        const read = readValue(type, raw)
        if ('wrong' in read) assert.ok(read.wrong.length > 10)
        else if (type !== 'string') assert.ok(Number(read.value) >= 0)
      }
    }),
  )
})
