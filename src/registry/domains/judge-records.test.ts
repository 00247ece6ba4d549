import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { serviceNames } from '#model/service.ts'
import { judgeRecords, statusWord } from './judge-records.ts'
import { expectedRecords, type MailService } from './onboarding-records.ts'
import type { SeenRecord } from './seen-records.ts'

const service = serviceNames('posthorn.test')
const DOMAIN = 'yourdomain.com'

function expectedOf(mail: MailService) {
  const selector = mail === 'sending' ? 'cf-bounce' : 'cf2024-1'
  return expectedRecords(mail, DOMAIN, { service, keys: [{ selector, publicKey: 'QUJD' }] })
}

function judge(
  mail: MailService,
  change: (records: SeenRecord[]) => SeenRecord[],
  unanswered: string[] = [],
) {
  const expected = expectedOf(mail)
  const records = change(
    expected.map(({ name, type, content, priority }) => ({ name, type, content, priority })),
  )
  const judged = judgeRecords(expected, { records, unanswered }, service.spf)
  return {
    states: judged.records.map(({ expected: { role }, state }) => `${role} ${state}`),
    codes: judged.problems.map(({ code }) => code),
    problems: judged.problems,
    unanswered: judged.unanswered,
  }
}

const txt = (name: string, content: string): SeenRecord => ({ name, type: 'TXT', content, priority: null })
const mx = (name: string, content: string): SeenRecord => ({ name, type: 'MX', content, priority: 10 })
const HOST = `cf-bounce.${DOMAIN}`

test('records as expected are ready, with other people’s harmless ones beside them', () => {
  for (const mail of ['sending', 'routing'] as const) {
    const { states, codes } = judge(mail, (records) => [
      ...records,
      txt(mail === 'sending' ? HOST : DOMAIN, 'site-verification=1'),
      txt(`_dmarc.${DOMAIN}`, 'not a policy'),
      mx(`mail.${DOMAIN}`, 'mx.example.net'),
    ])
    assert.deepEqual(codes, [])
    assert.ok(states.every((state) => state.endsWith(' ready')))
    assert.deepEqual(states.length, mail === 'sending' ? 6 : 5)
  }
})

test('each record that is missing is named', () => {
  const { states, codes, problems } = judge('sending', () => [])
  assert.deepEqual(states, [
    'mx missing',
    'mx missing',
    'mx missing',
    'spf missing',
    'dkim missing',
    'dmarc missing',
  ])
  assert.deepEqual(codes, [
    'mx.missing',
    'mx.missing',
    'mx.missing',
    'spf.missing',
    'dkim.missing',
    'dmarc.missing',
  ])
  assert.equal(problems[1]?.missing?.content, 'route2.mx.posthorn.test')
})

test('another host’s MX is foreign, beside ours or in their place', () => {
  const beside = judge('routing', (records) => [...records, mx(DOMAIN, 'mail.example.net')])
  assert.deepEqual(beside.codes, ['mx.foreign'])
  assert.equal(beside.problems[0]?.existing?.content, 'mail.example.net')
  assert.equal(beside.states[0], 'mx ready')
  const instead = judge('routing', (records) => [
    ...records.filter(({ type }) => type !== 'MX'),
    mx(DOMAIN, 'mail.example.net'),
  ])
  assert.equal(instead.states[0], 'mx foreign')
  assert.deepEqual(instead.codes, ['mx.missing', 'mx.missing', 'mx.missing', 'mx.foreign'])
})

test('SPF: merged is ready, foreign is not, two are none', () => {
  const withSpf = (...texts: string[]) =>
    judge('routing', (records) => [
      ...records.filter(({ content }) => !content.startsWith('v=spf1')),
      ...texts.map((text) => txt(DOMAIN, text)),
    ])
  assert.deepEqual(withSpf(`v=spf1 include:${service.spf} mx -all`).codes, [])
  assert.deepEqual(withSpf('v=spf1 mx -all').codes, ['spf.foreign'])
  assert.deepEqual(withSpf('v=spf1 mx -all').states[3], 'spf foreign')
  const two = withSpf(`v=spf1 include:${service.spf} ~all`, 'v=spf1 -all')
  assert.deepEqual(two.codes, ['spf.multiple'])
  assert.equal(two.states[3], 'spf multiple-spf')
  assert.equal(two.problems[0]?.multiple?.length, 2)
})

test('DKIM: the key counts, not the spelling; another key or a second record conflicts', () => {
  const name = `cf2024-1._domainkey.${DOMAIN}`
  const withDkim = (...texts: string[]) =>
    judge('routing', (records) => [
      ...records.filter((record) => record.name !== name),
      ...texts.map((text) => txt(name, text)),
    ]).codes
  assert.deepEqual(withDkim('v=DKIM1; p= QU JD ; k=rsa'), [])
  assert.deepEqual(withDkim('p=QUJD'), [])
  for (const texts of [
    ['v=DKIM1; p=QUJE'],
    ['v=DKIM1; p='],
    ['nonsense'],
    ['p=QUJD', 'p=QUJE'],
    ['p=QUJD', 'p=QUJD'],
  ])
    assert.deepEqual(withDkim(...texts), ['dkim.conflict'], texts.join(' + '))
})

test('DMARC: any one policy will do', () => {
  const name = `_dmarc.${DOMAIN}`
  const withDmarc = (...texts: string[]) =>
    judge('sending', (records) => [
      ...records.filter((record) => record.name !== name),
      ...texts.map((text) => txt(name, text)),
    ]).codes
  assert.deepEqual(withDmarc('v=DMARC1; p=none; rua=mailto:d@yourdomain.com'), [])
  assert.deepEqual(withDmarc('v=DMARC1', 'v=DMARC1; p=none'), ['dmarc.multiple'])
})

test('what nobody answered is neither ready nor missing', () => {
  const { states, codes, unanswered } = judge('sending', () => [], [HOST])
  assert.deepEqual(states.slice(0, 4), ['mx unanswered', 'mx unanswered', 'mx unanswered', 'spf unanswered'])
  assert.deepEqual(codes, ['dkim.missing', 'dmarc.missing'])
  assert.deepEqual(unanswered, [HOST])
})

test('the status words', () => {
  const foreign = [{ code: 'mx.foreign' }] as const
  const missing = [{ code: 'mx.missing' }] as const
  for (const [problems, locks, word] of [
    [[], 'locked', 'ready'],
    [[], 'none', 'ready'],
    [[], 'unlocked', 'unlocked'],
    [foreign, 'unlocked', 'unlocked'],
    [foreign, 'locked', 'misconfigured/locked'],
    [foreign, 'none', 'misconfigured'],
    [missing, 'unlocked', 'misconfigured'],
    [missing, 'locked', 'misconfigured/locked'],
  ] as const)
    assert.equal(statusWord(problems, locks), word, `${JSON.stringify(problems)} ${locks}`)
})

test('whatever strangers publish is judged, each expected record once', () => {
  const expected = expectedOf('sending')
  const names = [...new Set(expected.map(({ name }) => name))]
  const record = fc.record({
    name: fc.constantFrom(...names),
    type: fc.constantFrom('MX', 'TXT'),
    content: fc.oneof(
      fc.string(),
      fc.constantFrom(...expected.map(({ content }) => content)),
      fc.string().map((text) => `v=spf1 ${text}`),
    ),
    priority: fc.constant(null),
  })
  fc.assert(
    fc.property(fc.array(record), fc.subarray(names), (records, unanswered) => {
      const judged = judgeRecords(expected, { records, unanswered }, service.spf)
      assert.equal(judged.records.length, expected.length)
      const wrong = judged.records.filter(({ state }) => state !== 'ready' && state !== 'unanswered')
      assert.ok(judged.problems.length >= wrong.length)
    }),
  )
})
