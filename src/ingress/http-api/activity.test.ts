import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { STATUS_WORD } from '#analytics/status-word.ts'
import { ACTIVITY_STATUSES, type ActivityBody } from '#contract/activity.ts'
import type { MailEvent } from '#model/event.ts'
import type { Routed } from '#model/routing.ts'
import { newId } from '#store/id.ts'
import { openActivityWorld } from '#test/activity-world.ts'
import { keepBusy } from '#test/history-world.ts'
import { CAUSES, DOMAINS, HEADER_IDS, LOCAL_PARTS, mailOf, RULES, SUBJECTS } from '#test/some-mail.ts'
import { onBothEngines, openTestStore } from '#test/stores.ts'
import { address } from '#test/suppressions-world.ts'

const NOW = Date.UTC(2026, 10, 21, 12, 0, 0, 500)
const SEED = 8

type Filters = Readonly<Record<string, string>>

/** What the log shall show, said once more in plain JavaScript. */
function isWanted(line: ActivityBody, filters: Filters): boolean {
  const holds = (name: string, test: (value: string) => boolean) => {
    const value = filters[name]
    return value === undefined || value === '' || test(value)
  }
  const contains = (text: string | null, part: string) => lower(text ?? '').includes(lower(part))
  const second = Math.floor(Date.parse(line.at) / 1000)
  return [
    holds('status', (value) => value.split(',').includes(line.status ?? 'none')),
    holds('direction', (value) => value === line.direction),
    holds('domain', (value) => value.toLowerCase() === line.domain),
    holds('recipient', (value) => lower(value) === lower(line.to)),
    holds('sender', (value) => (value === '<>' ? line.from === '' : lower(value) === lower(line.from))),
    holds('subject', (value) => contains(line.subject, value)),
    holds('message_id', (value) => bare(value) === bare(line.message_id ?? '') || isHeaderIdOf(line, value)),
    holds('rule', (value) => value.toLowerCase() === line.rule_id),
    holds('cause', (value) => value === line.cause),
    holds(
      'search',
      (value) =>
        [line.from, line.to, line.subject, line.error].some((text) => contains(text, value)) ||
        (line.message_id !== null && bare(value) === bare(line.message_id)) ||
        (value.includes('@') && isHeaderIdOf(line, value)),
    ),
    holds('since', (value) => second >= Math.floor(Date.parse(value) / 1000)),
    holds('until', (value) => second < Math.ceil(Date.parse(value) / 1000)),
    holds('last', (value) => second >= Math.floor((NOW - ago(value)) / 1000)),
    filters['latest'] !== 'true' || line.is_last_event,
    filters['steps'] === 'true' || line.status !== null,
  ].every(Boolean)
}

function lower(text: string): string {
  return text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}

function bare(messageId: string): string {
  return lower(messageId.replace(/^<?([^@>]*).*$/s, '$1'))
}

function isHeaderIdOf({ header_message_id: id }: ActivityBody, value: string): boolean {
  const inner = (text: string) => lower(text.trim().replace(/^<(.*)>$/s, '$1'))
  return id !== null && inner(id) === inner(value)
}

function ago(last: string): number {
  const unit = last.endsWith('m') ? 60_000 : last.endsWith('h') ? 3_600_000 : 86_400_000
  return Number.parseInt(last, 10) * unit
}

/** Parts of what is there, what nearly is, and anything at all. */
const text = fc
  .oneof(
    fc
      .tuple(
        fc.constantFrom(...SUBJECTS, 'example.com', '550', 'Full_'),
        fc.nat(6),
        fc.integer({ min: 1, max: 9 }),
      )
      .map(([text, from, length]) => text.slice(from, from + length)),
    fc.constantFrom('%', '_', '\\', "'", '"', '100%_OFF', '*', '[x]', '\r\n', '$1', '?', 'ß', 'SS', '😀'),
    fc.string({ unit: 'grapheme', maxLength: 5 }),
  )
  .map((text) => text.replaceAll('\u0000', '').toWellFormed())

const anAddress = fc
  .tuple(fc.constantFrom(...LOCAL_PARTS), fc.constantFrom('one.test', 'two.test', 'OTHER.test', ...DOMAINS))
  .map(([local, domain]) => `${local}@${domain}`)

function filtersOver(lines: readonly ActivityBody[]) {
  const ids = [
    ...lines.flatMap(({ message_id: id }) => (id === null ? [] : [id, bare(id), id.replaceAll(/[<>]/g, '')])),
    // As often as all others.
    ...lines.flatMap((_, index) => {
      const id = HEADER_IDS[index % HEADER_IDS.length] ?? ''
      return [id, id.toUpperCase(), id.replaceAll(/[<>]/g, '')]
    }),
  ]
  const time = fc
    .constantFrom(...lines.map(({ at }) => at))
    .chain((at) => fc.constantFrom(at, at.replace(/\.\d+Z/, 'Z'), at.slice(0, 10)))
  const range = fc.oneof(
    fc.constantFrom('30m', '31m', '2h', '1d', '10d', '30d').map((last) => ({ last })),
    fc
      .tuple(time, time)
      .filter(([one, other]) => one !== other && Date.parse(one) !== Date.parse(other))
      .map(([one, other]) =>
        Date.parse(one) < Date.parse(other) ? { since: one, until: other } : { since: other, until: one },
      ),
    time.map((since) => ({ since })),
    time.map((until) => ({ until })),
  )
  const others = fc.record(
    {
      status: fc
        .uniqueArray(
          fc.constantFrom(
            'sent',
            'delivered',
            'deliveryFailed',
            'rejected',
            'failed',
            'forwarded',
            'dropped',
          ),
          { minLength: 1, maxLength: 3 },
        )
        .map((words) => words.join(',')),
      direction: fc.constantFrom('sending', 'routing'),
      domain: fc.constantFrom('one.test', 'TWO.test', 'other.test', 'nobody.test', ''),
      recipient: anAddress,
      sender: fc.oneof(anAddress, fc.constant('<>')),
      subject: text,
      message_id: fc.constantFrom(...ids),
      rule: fc.constantFrom(...RULES, RULES[1]?.toUpperCase() ?? '', 'f'.repeat(32)),
      cause: fc.constantFrom(...CAUSES, 'suppressed', 'nothing'),
      search: fc.oneof(text, fc.constantFrom(...ids)),
      latest: fc.constantFrom('true', 'false'),
      steps: fc.constantFrom('true', 'false'),
    },
    { requiredKeys: [] },
  )
  // Few at a time: of all at once nothing would be left.
  const few = others.chain((all) =>
    fc.shuffledSubarray(Object.entries(all)).map((some): Filters => Object.fromEntries(some.slice(0, 3))),
  )
  return fc
    .tuple(few, fc.option(range, { nil: {}, freq: 2 }))
    .map(([some, span]): Filters => ({ ...some, ...span }))
}

onBothEngines('the log shows what a plain filter leaves, in its order, page by page', async (_t, open) => {
  await using world = await openActivityWorld(open, NOW)
  const domains = [world.one, world.two, world.other]
  const mail = mailOf(domains, { now: NOW, messages: 240, seed: SEED })
  await world.happen(mail)
  const everything = new URLSearchParams({ steps: 'true', per_page: '1000' })
  const all = await world.walk(world.ofAccount, everything)
  const expected = mail
    .filter(({ accountId }) => accountId === world.accountId)
    .reduce((count, { detail }) => count + (detail.recipients?.length ?? 1), 0)
  assert.equal(all.length, expected)
  assert.equal(new Set(all.map(({ id }) => id)).size, expected)
  const times = all.map(({ at }) => Date.parse(at))
  assert.deepEqual(
    times,
    times.toSorted((one, other) => other - one),
  )

  const places = [
    { path: world.ofAccount, holds: () => true },
    ...[world.one, world.two].map((domain) => ({
      path: world.ofZone(domain),
      holds: ({ zone_id: zoneId }: ActivityBody) => zoneId === domain.zoneId,
    })),
  ]
  const asked = fc.record({
    place: fc.constantFrom(...places),
    filters: filtersOver(all),
    perPage: fc.constantFrom('3', '7', '50', '1000'),
  })
  await fc.assert(
    fc.asyncProperty(asked, async ({ place, filters, perPage }) => {
      const found = await world.walk(place.path, new URLSearchParams({ ...filters, per_page: perPage }))
      const wanted = all.filter((line) => place.holds(line) && isWanted(line, filters))
      assert.deepEqual(
        found.map(({ id }) => id),
        wanted.map(({ id }) => id),
      )
    }),
    {
      numRuns: 60,
      // Where pages end between events of one millisecond.
      examples: places.flatMap((place) => ['3', '7'].map((perPage) => [{ place, filters: {}, perPage }])),
    },
  )
})

onBothEngines('a line says all that is known of its event', async (_t, open) => {
  await using world = await openActivityWorld(open, NOW)
  const { one } = world
  const of = { accountId: one.accountId, domainId: one.id }
  const messageId = newId()
  const deliveryId = newId()
  const people = { sender: 'app@one.test', subject: 'Hello' }
  await world.happen([
    {
      ...{ ...of, type: 'accepted', at: NOW - 9000, messageId, deliveryId: null, terminal: false },
      detail: { ...people, recipients: ['x@example.com', 'y@example.com'] },
    },
    {
      ...{ ...of, type: 'bounced', at: NOW - 8000, messageId, deliveryId, terminal: true },
      detail: {
        ...people,
        recipient: 'y@example.com',
        cause: 'recipient-unknown',
        smtpReply: '550 5.1.1 no',
      },
    },
    {
      ...{ ...of, type: 'dropped', at: NOW - 7000, messageId: newId(), deliveryId: null, terminal: true },
      detail: {
        ...{ sender: '', subject: 'Undelivered', headerMessageId: '<Of.Theirs@mail.example>' },
        routed: {
          ...{ ruleId: RULES[1] ?? null, action: 'drop', recipient: address('Me@one.test') },
          ...{ spf: 'pass', dkim: 'fail', dmarc: 'none', arc: 'none', isSpam: true, isNdr: true },
          ...{ sessionId: 'session', remoteAddress: '192.0.2.1' },
        },
      },
    },
  ])
  const { result } = await world.ask(world.ofAccount)
  const [dropped, bounced, ...sent] = result ?? []
  const same = { direction: 'sending', event_type: 'newEmail', zone_id: one.zoneId, domain: 'one.test' }
  const none = { rule_id: null, action: null, session_id: null, is_spam: false, is_ndr: false }
  // As the last look at DNS said.
  const checked = { spf: 'none', dkim: 'fail', dmarc: 'pass', arc: 'none' }
  assert.deepEqual(withoutIds(bounced), {
    ...{ ...same, ...none, ...checked, at: new Date(NOW - 8000).toISOString() },
    ...{ status: 'deliveryFailed', type: 'bounced', is_last_event: true, delivery_id: deliveryId },
    ...{ from: 'app@one.test', to: 'y@example.com', subject: 'Hello', message_id: `<${messageId}@one.test>` },
    header_message_id: `<${messageId}@one.test>`,
    ...{ cause: 'recipient-unknown', error: '550 5.1.1 no' },
  })
  assert.deepEqual(
    sent.map((line) => [line.status, line.to, line.is_last_event, line.delivery_id]),
    [
      ['sent', 'y@example.com', false, null],
      ['sent', 'x@example.com', true, null],
    ],
  )
  assert.deepEqual(withoutIds(dropped), {
    ...{ ...same, direction: 'routing', event_type: 'incoming', at: new Date(NOW - 7000).toISOString() },
    ...{ status: 'dropped', type: 'dropped', is_last_event: true, delivery_id: null },
    ...{ from: '', to: 'Me@one.test', subject: 'Undelivered', message_id: dropped?.message_id },
    header_message_id: '<Of.Theirs@mail.example>',
    ...{ cause: null, error: null, rule_id: RULES[1], action: 'drop', session_id: 'session' },
    ...{ spf: 'pass', dkim: 'fail', dmarc: 'none', arc: 'none', is_spam: true, is_ndr: true },
  })
  assert.match(dropped?.message_id ?? '', /^[0-9a-f]{32}$/)
  assert.equal(bounced?.id, `${bounced?.event_id}.0`)
})

function withoutIds(line: ActivityBody | undefined): Partial<ActivityBody> {
  assert.ok(line)
  const { id: _, event_id: __, ...rest } = line
  return rest
}

onBothEngines(
  'mail that came in is found by the Message-ID of its header, with all that became of it',
  async (_t, open) => {
    await using world = await openActivityWorld(open, NOW)
    const header = '<CAF+x_1=Q@Mail.Example>'
    const came = (
      domain: typeof world.one,
      messageId: string,
      { type, at, ...detail }: Pick<MailEvent, 'type' | 'at'> & MailEvent['detail'],
    ): MailEvent => ({
      ...{ accountId: domain.accountId, domainId: domain.id, messageId, deliveryId: null, type, at },
      ...{ terminal: true, detail },
    })
    const routed: Routed = {
      ...{ ruleId: null, action: 'forward', recipient: address('me@one.test'), isSpam: false, isNdr: false },
      ...{ sessionId: 's', remoteAddress: '192.0.2.1' },
    }
    const [forward, copy, foreign] = [newId(), newId(), newId()]
    const day = 86_400_000
    await world.happen([
      came(world.one, forward, {
        type: 'delivered',
        at: NOW - 9 * day,
        attempt: 1,
        headerMessageId: header,
        routed,
      }),
      came(world.one, copy, { type: 'dropped', at: NOW - 1000, headerMessageId: header, routed }),
      came(world.other, foreign, { type: 'dropped', at: NOW - 1000, headerMessageId: header, routed }),
      came(world.one, newId(), {
        type: 'dropped',
        at: NOW - 900,
        headerMessageId: '<x@mail.example>',
        routed,
      }),
      // What comes back later does not repeat how it came in.
      came(world.one, forward, { type: 'complained', at: NOW - 500, feedbackType: 'abuse' }),
    ])
    const asked = async (value: string, more = '') => {
      const { result } = await world.ask(`${world.ofAccount}?steps=true&${value}${more}`)
      return result?.map(({ type, message_id: id }) => [type, id])
    }
    const all = [
      ['complained', forward],
      ['dropped', copy],
      ['delivered', forward],
    ]
    const written = encodeURIComponent(header)
    assert.deepEqual(await asked(`message_id=${written}`), all)
    assert.deepEqual(await asked(`message_id=${encodeURIComponent('caf+x_1=q@mail.example')}`), all)
    assert.deepEqual(await asked(`search=${written}`), all)
    assert.deepEqual(await asked(`message_id=${written}`, '&direction=routing&last=2h'), all.slice(0, 2))
    assert.deepEqual(await asked(`message_id=${written}&search=nothing@nowhere.example`), [])
    assert.deepEqual(await asked(`message_id=${forward}`), [all[0], all[2]])
    assert.deepEqual(await asked('message_id=none@mail.example'), [])
    const lines = await world.walk(
      world.ofAccount,
      new URLSearchParams({ message_id: header, per_page: '1' }),
    )
    assert.deepEqual(
      lines.map(({ header_message_id: id }) => id),
      [header, header],
    )
    const theirs = await world.ask(`${world.ofOther}?message_id=${written}`, world.secrets.two)
    assert.deepEqual(
      theirs.result?.map(({ message_id: id }) => id),
      [foreign],
    )
  },
)

onBothEngines('whose it is not sees nothing of it, whatever it asks', async (_t, open) => {
  await using world = await openActivityWorld(open, NOW)
  const domains = [world.one, world.other]
  await world.happen(mailOf(domains, { now: NOW, messages: 40, seed: SEED }))
  const { secrets, ofAccount, ofOther, ofZone } = world
  for (const path of [ofOther, ofZone(world.other), `${ofOther}/export`, `${ofZone(world.other)}/export`]) {
    for (const foreign of [path, path.replace(/[0-9a-f]{32}/, 'f'.repeat(32))]) {
      const { status, errors } = await world.ask(foreign)
      assert.deepEqual([status, errors[0]?.code], [404, 7003], foreign)
    }
  }
  const own = await world.walk(ofAccount, new URLSearchParams({ per_page: '1000' }))
  assert.ok(own.every(({ zone_id: zoneId }) => zoneId === world.one.zoneId))
  // A cursor says where to go on, and nothing of whose list it is.
  const { result_info: info } = await world.ask(`${ofOther}?per_page=3`, secrets.two)
  const answer = await world.ask(`${ofAccount}?cursor=${info?.cursor}&per_page=1000`)
  const ids = new Set(own.map(({ id }) => id))
  assert.equal(answer.status, 200)
  assert.ok(answer.result?.every(({ id }) => ids.has(id)))
  for (const filter of ['domain=other.test', `sender=a@other.test`, 'search=other.test'])
    assert.deepEqual((await world.ask(`${ofAccount}?${filter}`)).result, [], filter)

  const unfit = await world.token(world.accountId, ['Email Sending:Edit', 'Email Routing Rules:Edit'])
  for (const path of [ofAccount, ofZone(world.one), `${ofAccount}/export`]) {
    const { status, errors } = await world.ask(path, unfit)
    assert.deepEqual([status, errors[0]?.code], [403, 9109], path)
  }
})

onBothEngines('what comes in while somebody pages shows up on no later page', async (_t, open) => {
  await using world = await openActivityWorld(open, NOW)
  await world.happen(mailOf([world.one], { now: NOW, messages: 40, seed: 1 }))
  const before = await world.walk(world.ofAccount, new URLSearchParams({ per_page: '1000', steps: 'true' }))
  const first = await world.ask(`${world.ofAccount}?steps=true&per_page=10`)
  const late = mailOf([world.one], { now: NOW, messages: 40, seed: 2 })
  await world.happen(late)
  const cursor = new URLSearchParams({ cursor: first.result_info?.cursor ?? '', per_page: '10' })
  const found = [...(first.result ?? []), ...(await world.walk(world.ofAccount, cursor))]
  const ids = found.map(({ id }) => id)
  assert.equal(new Set(ids).size, ids.length)
  const known = new Set(before.map(({ id }) => id))
  assert.deepEqual(
    ids.filter((id) => known.has(id)),
    before.map(({ id }) => id),
  )
})

test('a cursor carries its filters, and what `last` meant when the list began', async () => {
  await using open = await openTestStore('sqlite')
  await using world = await openActivityWorld(open, NOW)
  await world.happen(mailOf([world.one], { now: NOW, messages: 60, seed: SEED }))
  const query = 'last=2h&direction=sending&per_page=2'
  const { result_info: info } = await world.ask(`${world.ofAccount}?${query}`)
  const cursor = info?.cursor ?? assert.fail()
  const next = await world.ask(`${world.ofAccount}?cursor=${cursor}&per_page=2`)
  const repeated = await world.ask(`${world.ofAccount}?${query}&cursor=${cursor}`)
  assert.equal(next.result?.length, 2)
  assert.deepEqual(repeated, next)
  assert.ok(next.result?.every(({ direction }) => direction === 'sending'))
  const changed = await world.ask(`${world.ofAccount}?last=1h&direction=sending&cursor=${cursor}`)
  assert.deepEqual([changed.status, changed.errors[0]?.source?.pointer], [400, '?cursor'])
  const decoded = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  assert.equal(decoded[1], Math.floor((NOW - 7_200_000) / 1000) * 1000)
})

const HOSTILE: readonly (readonly [query: string, pointer: string])[] = [
  ['status=', ''],
  ['status=lost', '?status'],
  ['status=sent,,', '?status'],
  ['status=sent&status=delivered', '?status'],
  ['direction=both', '?direction'],
  ['domain=a..b', '?domain'],
  ['domain=%00', '*'],
  ['recipient=nobody', '?recipient'],
  ['recipient=%25@%25', '?recipient'],
  [`recipient=${'a'.repeat(400)}@example.com`, '?recipient'],
  ['sender=', ''],
  ['sender=%0d%0a@example.com', '?sender'],
  ['subject=%00', '*'],
  ['search=a%00b', '*'],
  [`search=${'a'.repeat(201)}`, '?search'],
  [`search=${encodeURIComponent("' or 1=1; drop table history_account; --")}`, ''],
  ['message_id=x', ''],
  [`message_id=${encodeURIComponent("<' or 1=1; -- @x>")}`, ''],
  [`message_id=${'x'.repeat(1001)}`, '?message_id'],
  [`rule=${'g'.repeat(32)}`, '?rule'],
  [`cause=${'x'.repeat(101)}`, '?cause'],
  ['last=29m', '?last'],
  ['last=31d', '?last'],
  ['last=999999999d', '?last'],
  ['last=forever', '?last'],
  ['last=1h&since=2026-11-20', '?last'],
  ['last=1h&since=&until=', ''],
  ['since=yesterday', '?since'],
  ['since=0000-00-00', '?since'],
  ['since=1969-12-31', '?since'],
  ['until=2026-13-01', '?until'],
  ['since=2026-11-20&until=2026-11-20', '?until'],
  ['since=9999-12-31', ''],
  ['per_page=0', '?per_page'],
  ['per_page=1001', '?per_page'],
  ['per_page=ten', '?per_page'],
  ['cursor=x', '?cursor'],
  [`cursor=${Buffer.from('[[1,1,1],null,{"x":1}]').toString('base64url')}`, '?cursor'],
  [`cursor=${Buffer.from('[[1,1,-1],null,{}]').toString('base64url')}`, '?cursor'],
  [`cursor=${Buffer.from('[[1e300,1,1],null,{}]').toString('base64url')}`, '?cursor'],
  [`cursor=${Buffer.from('[[1,1,1],null,{"search":"\\u0000"}]').toString('base64url')}`, '?cursor'],
  [`cursor=${Buffer.from('{"__proto__":[]}').toString('base64url')}`, '?cursor'],
  [`cursor=${'a'.repeat(12_001)}`, '?cursor'],
  [`cursor=${Buffer.from('[[1,1,1],null,{"last":"1s"}]').toString('base64url')}`, '?last'],
  ['latest=yes', '?latest'],
  ['statuses=sent', '*'],
  ['__proto__=x', '*'],
]

test('where too many ask, the log is busy, and is told apart from what takes too long', async () => {
  await using open = await openTestStore('sqlite')
  await using world = await openActivityWorld(open, NOW)
  await world.happen(mailOf([world.one], { now: NOW, messages: 20, seed: SEED }))
  const calm = keepBusy(world.history, world.accountId)
  const { status, errors } = await world.ask(world.ofAccount)
  await calm()
  assert.equal(status, 429)
  assert.match(
    errors[0]?.error_chain?.[0]?.message ?? '',
    /^Too many questions about this account’s mail at once/,
  )
  assert.equal((await world.ask(world.ofAccount)).status, 200)
})

test('what is no filter is refused with its name, and nothing in one is more than text', async () => {
  await using open = await openTestStore('sqlite')
  await using world = await openActivityWorld(open, NOW)
  for (const [query, pointer] of HOSTILE) {
    const { status, errors } = await world.ask(`${world.ofAccount}?${query}`)
    assert.equal(status, pointer === '' ? 200 : 400, query)
    if (pointer === '') continue
    assert.equal(errors[0]?.code, 1004, query)
    if (pointer !== '*') assert.equal(errors[0]?.source?.pointer, pointer, query)
    assert.ok((errors[0]?.error_chain?.[0]?.message ?? '').length < 500, query)
  }
})

test('any cursor and any filter is answered, and never with 500', async () => {
  await using open = await openTestStore('sqlite')
  await using world = await openActivityWorld(open, NOW)
  await world.happen(mailOf([world.one], { now: NOW, messages: 20, seed: SEED }))
  const name = fc.constantFrom(
    ...['status', 'direction', 'domain', 'recipient', 'sender', 'subject', 'message_id', 'rule', 'cause'],
    ...['search', 'last', 'since', 'until', 'latest', 'steps', 'per_page', 'cursor', 'format', 'toString'],
  )
  const cursor = fc.json().map((text) => Buffer.from(text).toString('base64url'))
  const value = fc.oneof(fc.string({ unit: 'binary', maxLength: 40 }), cursor, fc.date().map(String))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(name, value), { maxLength: 4 }), async (pairs) => {
      const query = new URLSearchParams(pairs).toString()
      const { status } = await world.ask(`${world.ofAccount}?${query}`)
      assert.ok(status === 200 || status === 400, String(status))
    }),
    { numRuns: 200 },
  )
})

test('the words of the contract are those of the table', () => {
  const words = Object.values(STATUS_WORD).flatMap((table): string[] => Object.values(table))
  const used = new Set(words.filter((word) => word !== ''))
  assert.deepEqual(
    [...used, 'deliveryFailed'].filter((word) => !isKnown(word)),
    [],
  )
  assert.deepEqual(
    ACTIVITY_STATUSES.filter((word) => !used.has(word)),
    [],
  )
})

function isKnown(word: string): boolean {
  return ACTIVITY_STATUSES.some((known) => known === word)
}
