import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseBlockLists } from './block-lists.ts'

test('zones, with labels and codes or without', () => {
  assert.deepEqual(parseBlockLists('zen.spamhaus.org=2-4;10, abusixip:KEY1.combined.mail.abusix.zone'), [
    {
      label: 'zen.spamhaus.org',
      zone: 'zen.spamhaus.org',
      codes: [
        [2, 4],
        [10, 10],
      ],
    },
    { label: 'abusixip', zone: 'key1.combined.mail.abusix.zone' },
  ])
})

test('what is no list is none', () => {
  for (const text of [
    '',
    ',',
    'zen',
    'a.b,',
    'a b.c',
    'x:y:z.de',
    'a.b=',
    'a.b=1',
    'a.b=256',
    'a.b=9-3',
    'a.b=-',
  ]) {
    assert.equal(parseBlockLists(text), undefined, text)
  }
})
