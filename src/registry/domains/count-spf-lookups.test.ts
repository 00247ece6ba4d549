import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Lookup } from '#net/resolver.ts'
import { countSpfLookups } from './count-spf-lookups.ts'

function dns(records: Readonly<Record<string, string>>) {
  return async (name: string): Promise<Lookup<string>> => {
    if (name.startsWith('broken.')) return { kind: 'temporary-failure', detail: 'ESERVFAIL' }
    const text = records[name]
    return text === undefined ? { kind: 'no-such-name' } : { kind: 'found', records: ['other=1', text] }
  }
}

test('what asks DNS is counted, in included records too, and addresses are free', async () => {
  const txt = dns({
    'one.example': 'v=spf1 include:two.example a mx -all',
    'two.example': 'v=spf1 ip4:192.0.2.1 exists:%{i}.x.example ~all',
    'next.example': 'v=spf1 ptr -all',
  })
  for (const [text, lookups] of [
    ['v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -all', 0],
    ['v=spf1 include:one.example -all', 5],
    ['v=spf1 mx redirect=next.example', 3],
    // The redirect is never followed, nor anything after `all`.
    ['v=spf1 -all redirect=next.example include:one.example', 0],
    ['v=spf1 include:%{d}.x.example include:nothing.example -all', 2],
  ] as const) {
    assert.deepEqual(await countSpfLookups(text, txt), { lookups, unanswered: [] }, text)
  }
})

test('a name that does not answer is counted once and told', async () => {
  assert.deepEqual(await countSpfLookups('v=spf1 include:broken.example mx -all', dns({})), {
    lookups: 2,
    unanswered: ['broken.example'],
  })
})

test('loops and endless records end, over the limit', async () => {
  const loop = dns({ 'a.example': 'v=spf1 include:b.example -all', 'b.example': 'v=spf1 include:a.example' })
  assert.ok((await countSpfLookups('v=spf1 include:a.example -all', loop)).lookups > 10)
  let asked = 0
  const endless = async (): Promise<Lookup<string>> => ({
    kind: 'found',
    records: [`v=spf1 ${Array.from({ length: 50 }, () => `include:n${asked++}.example`).join(' ')} -all`],
  })
  assert.ok((await countSpfLookups('v=spf1 include:start.example -all', endless)).lookups <= 30)
})
