import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { test } from 'node:test'
import { readCsv } from '#registry/suppressions/read-csv.ts'
import { newId } from '#store/id.ts'
import { openActivityWorld } from '#test/activity-world.ts'
import { until } from '#test/queue-world.ts'
import { mailOf } from '#test/some-mail.ts'
import { onBothEngines, openTestStore } from '#test/stores.ts'
import { activityFile } from './activity-file.ts'

const NOW = Date.UTC(2026, 10, 21, 12, 0, 0, 500)
const SEED = 8

onBothEngines('a file has what the list has, and nothing in it is a formula', async (_t, open) => {
  await using world = await openActivityWorld(open, NOW)
  await world.happen(mailOf([world.one, world.two], { now: NOW, messages: 150, seed: SEED }))
  for (const [path, query] of [
    [world.ofAccount, 'steps=true'],
    [world.ofZone(world.two), 'direction=sending&last=1d'],
    [world.ofAccount, 'search=no+such+thing'],
  ] as const) {
    const listed = await world.walk(path, new URLSearchParams(`${query}&per_page=1000`))
    const ndjson = await world.fetched(`${path}/export?${query}&format=ndjson`)
    assert.equal(ndjson.headers.get('content-disposition'), 'attachment; filename="email-activity.ndjson"')
    const lines = (await ndjson.text()).split('\n')
    assert.equal(lines.pop(), '')
    assert.deepEqual(
      lines.map((line): unknown => JSON.parse(line)),
      listed,
    )

    const csv = await world.fetched(`${path}/export?${query}`)
    assert.equal(csv.headers.get('content-type'), 'text/csv; charset=utf-8; header=present')
    const [header, ...records] = [...readCsv(await csv.text())].map((record) =>
      'cells' in record ? record.cells : assert.fail(record.detail),
    )
    assert.ok(header)
    for (const cell of records.flat()) assert.doesNotMatch(cell, /^[=+\-@\t\r\n＝＋－＠]/)
    assert.deepEqual(
      records.map((cells) => Object.fromEntries(header.map((name, index) => [name, cells[index]]))),
      listed.map((line) =>
        Object.fromEntries(Object.entries(line).map(([name, value]) => [name, cellOf(value)])),
      ),
    )
  }
})

function cellOf(value: string | boolean | null): string {
  const text = String(value ?? '')
  return /^['=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text
}

test('a page that was ended for its time is not the end of a file', async () => {
  const pages = new Map([
    [20, { rows: [], reached: { at: 10, seq: 0, ordinal: 0 } }],
    [10, { rows: [] }],
  ])
  const first = { rows: [], reached: { at: 20, seq: 0, ordinal: 0 } }
  const asked: number[] = []
  const { content } = activityFile('ndjson', first, async ({ at }) => {
    asked.push(at)
    return pages.get(at) ?? assert.fail('asked for what comes after the end')
  })
  assert.deepEqual(await content.toArray(), [])
  assert.deepEqual(asked, [20, 10])
})

test('a file that nobody reads holds a place of its account, and gives it back', async () => {
  await using open = await openTestStore('sqlite')
  await using world = await openActivityWorld(open, NOW)
  const recipients = Array.from({ length: 50 }, (_, index) => `user${index}@example.com`)
  const of = { accountId: world.accountId, domainId: world.one.id, deliveryId: null, terminal: false }
  await world.happen(
    Array.from({ length: 120 }, () => ({
      ...{ ...of, type: 'accepted' as const, at: NOW - 1000, messageId: newId() },
      detail: { sender: 'a@one.test', recipients, subject: 'ü'.repeat(900) },
    })),
  )
  const url = `${world.ofAccount}/export?format=ndjson`
  const unread = await Promise.all([1, 2].map(() => openUnread(`${world.base}${url}`, world.secrets.one)))
  const third = await world.fetched(url)
  assert.equal(third.status, 429)
  const theirs = await world.fetched(`${world.ofOther}/export`, world.secrets.two)
  assert.equal(theirs.status, 200)
  unread[0]?.destroy()
  const whole = await until(async () => {
    const response = await world.fetched(url)
    return response.status === 200 ? response : undefined
  })
  assert.equal((await whole.text()).trimEnd().split('\n').length, 6000)
  unread[1]?.destroy()
  // Who goes away before the first page is read, and who wants to know no more than the head of it.
  const gone = AbortSignal.timeout(1)
  await Promise.allSettled([1, 2, 3].map(() => world.fetched(url, undefined, { signal: gone })))
  for (let i = 0; i < 3; i++) await world.fetched(url, undefined, { method: 'HEAD' })
  // Places of those that ended, that were broken off and that were refused are all free again.
  const refused = () => world.fetched(`${url}&last=1m`)
  for (let i = 0; i < 3; i++) await until(async () => ((await refused()).status === 400 ? true : undefined))
  const both = await until(async () => {
    const asked = await Promise.all([1, 2].map(() => world.fetched(`${url}&search=user7@`)))
    return asked.every(({ status }) => status === 200) ? asked : undefined
  })
  for (const response of both) assert.equal((await response.text()).trimEnd().split('\n').length, 120)
})

async function openUnread(url: string, secret: string): Promise<IncomingMessage> {
  const asked = request(url, { headers: { authorization: `Bearer ${secret}` } }).end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  assert.equal(response.statusCode, 200)
  return response
}
