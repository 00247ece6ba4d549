import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openBodies } from '#bodies/bodies.ts'
import { statement } from '#store/store.ts'
import { type OpenStore, onBothEngines } from '#test/stores.ts'
import { arrivalIds } from './arrival-id.ts'
import { type Inbox, type InboxOptions, openInbox } from './inbox.ts'
import type { MessageView } from './message-view.ts'
import { parseSearch, type SearchQuery } from './search-query.ts'

const ALL = { start: 0, limit: 1000 }
const ENVELOPE = { from: 'sender@example.com', to: ['to@example.com'] }

function mail(subject: string, body = 'Hello', ...headers: string[]): Buffer {
  return Buffer.from(
    ['From: Sender <sender@example.com>', `Subject: ${subject}`, ...headers, '', body].join('\r\n'),
  )
}

function query(text: string): SearchQuery {
  const parsed = parseSearch(text)
  assert.ok(!('invalid' in parsed))
  return parsed
}

type Test = (inbox: Inbox, open: OpenStore) => Promise<void>

function withInbox(name: string, run: Test, options: Partial<InboxOptions> = {}): void {
  onBothEngines(name, async (_, open) => {
    const inbox = openInbox({ store: open.store, bodies: openBodies(open), ...options })
    try {
      await run(inbox, open)
    } finally {
      await inbox.close()
    }
  })
}

const subjects = (messages: readonly { readonly Subject: string }[]) => messages.map(({ Subject }) => Subject)

async function open(inbox: Inbox, id: string): Promise<MessageView> {
  const opened = await inbox.open(id)
  assert.ok(typeof opened === 'object')
  return opened
}

async function add(inbox: Inbox, count: number, body?: (i: number) => string): Promise<string[]> {
  const ids: string[] = []
  for (let i = 0; i < count; i++) ids.push((await inbox.add(mail(`number ${i}`, body?.(i)), ENVELOPE)).ID)
  return ids
}

const released = statement<{ readonly count: number }>(
  'test.released',
  'select count(*) as count from body where release_at is not null',
)

withInbox('messages are listed newest first, in pages', async (inbox) => {
  await add(inbox, 5)
  assert.deepEqual(subjects(await inbox.list(ALL)), [
    'number 4',
    'number 3',
    'number 2',
    'number 1',
    'number 0',
  ])
  assert.deepEqual(subjects(await inbox.list({ start: 1, limit: 2 })), ['number 3', 'number 2'])
  assert.deepEqual(await inbox.list({ start: 5, limit: 2 }), [])
})

withInbox('what add returns is what is listed, after a restart as well', async (inbox, open) => {
  const raw = mail('Grüße', 'Hello', 'To: Jane <jane@example.com>', 'Message-ID: <a@b.c>')
  const added = await inbox.add(raw, { from: '', to: ['jane@example.com', 'hidden@example.com'] })
  assert.deepEqual(await inbox.list(ALL), [added])
  await inbox.close()
  const store = await open.reopen()
  const again = openInbox({ store, bodies: openBodies({ store, directory: open.directory }) })
  assert.deepEqual(await again.list(ALL), [added])
  assert.deepEqual(await again.raw(added.ID), raw)
  assert.deepEqual(added.Envelope, { From: '', To: ['jane@example.com', 'hidden@example.com'] })
  assert.deepEqual(added.Bcc, [{ Name: '', Address: 'hidden@example.com' }])
  assert.equal(added.Size, raw.length)
  await again.close()
})

withInbox('the source comes back octet for octet, whatever its size', async (inbox) => {
  for (const size of [0, 1, 70_000, 3_000_000]) {
    const raw = Buffer.alloc(size, 'content\r\n\xff\0')
    const { ID } = await inbox.add(raw, ENVELOPE)
    assert.ok((await inbox.raw(ID))?.equals(raw))
  }
})

withInbox('an opened message is read; counts tell', async (inbox) => {
  const [first = '', second = ''] = await add(inbox, 2)
  assert.deepEqual(await inbox.counts(), { total: 2, unread: 2, bytes: 2 * mail('number 0').length })
  const opened = await open(inbox, first)
  assert.equal(opened.Text.trim(), 'Hello')
  assert.equal(opened.ReturnPath, 'sender@example.com')
  assert.equal((await inbox.counts()).unread, 1)
  await inbox.markRead({ ids: [first, 'f'.repeat(32)] }, false)
  await inbox.markRead({ query: query('subject:"number 1"') }, true)
  assert.deepEqual(
    (await inbox.list(ALL)).map(({ ID, Read }) => [ID, Read]),
    [
      [second, true],
      [first, false],
    ],
  )
  await inbox.markRead('all', true)
  assert.equal((await inbox.counts()).unread, 0)
})

withInbox('an id that is not there is no message', async (inbox) => {
  const id = 'f'.repeat(32)
  assert.equal(await inbox.open(id), undefined)
  assert.equal(await inbox.raw(id), undefined)
  assert.equal(await inbox.part(id, '1'), undefined)
  await inbox.delete({ ids: [id] })
})

withInbox('a search counts all matches and lists a page of them', async (inbox) => {
  await add(inbox, 12, (i) => (i % 3 === 0 ? 'a needle here' : 'only hay'))
  const [newest] = await inbox.list({ start: 0, limit: 1 })
  await inbox.markRead({ query: query('needle subject:"number 9"') }, true)
  const found = await inbox.search(query('NEEDLE'), { start: 1, limit: 2 })
  assert.deepEqual(subjects(found.messages), ['number 6', 'number 3'])
  assert.deepEqual([found.count, found.unread], [4, 3])
  assert.equal((await inbox.search(query('-needle'), ALL)).count, 8)
  assert.deepEqual((await inbox.search(query('is:unread hay'), { start: 0, limit: 1 })).messages, [newest])
})

withInbox('a search walks through more messages than one batch has', async (inbox) => {
  const many = Array.from({ length: 1_203 }, (_, i) => inbox.add(mail(`message ${i}`), ENVELOPE))
  await Promise.all(many)
  assert.equal((await inbox.search(query('message'), ALL)).count, 1_203)
  const all = await inbox.list({ start: 0, limit: 2_000 })
  assert.equal(new Set(all.map(({ ID }) => ID)).size, 1_203)
  assert.deepEqual(await inbox.list({ start: 3, limit: 950 }), all.slice(3, 953))
  await inbox.delete({ query: query('-subject:7') })
  const left = (await inbox.list({ start: 0, limit: 2000 })).map(({ Subject }) => Subject)
  assert.ok(left.length > 0 && left.every((subject) => subject.includes('7')))
  await inbox.delete('all')
  assert.deepEqual(await inbox.counts(), { total: 0, unread: 0, bytes: 0 })
  assert.equal(inbox.activity.deleted, 1_203)
})

withInbox('a search and a list end where the one who asked has gone', async (inbox) => {
  await Promise.all(Array.from({ length: 250 }, (_, i) => inbox.add(mail(`message ${i}`), ENVELOPE)))
  for (const ask of [
    (gone: AbortSignal) => inbox.search(query('message'), ALL, gone),
    (gone: AbortSignal) => inbox.list(ALL, gone),
  ]) {
    const gone = new AbortController()
    const asked = ask(gone.signal)
    gone.abort(new Error('gone'))
    await assert.rejects(asked, /gone/)
  }
})

withInbox('deleting releases the bodies', async (inbox, { store }) => {
  const ids = await add(inbox, 4)
  await inbox.delete({ ids: ids.slice(0, 2) })
  assert.deepEqual(await store.get(released, []), { count: 2 })
  assert.deepEqual(subjects(await inbox.list(ALL)), ['number 3', 'number 2'])
  await inbox.delete('all')
  assert.deepEqual(await store.get(released, []), { count: 4 })
})

withInbox(
  'past the limit the oldest go, and their bodies are released',
  async (inbox, { store }) => {
    await add(inbox, 8)
    assert.deepEqual(subjects(await inbox.list(ALL)), ['number 7', 'number 6', 'number 5'])
    assert.deepEqual(await store.get(released, []), { count: 5 })
    await Promise.all(Array.from({ length: 20 }, (_, i) => inbox.add(mail(`late ${i}`), ENVELOPE)))
    const left = await inbox.list(ALL)
    assert.equal(left.length, 3)
    assert.ok(left.every(({ Subject }) => Subject.startsWith('late')))
  },
  { limit: 3 },
)

withInbox('listeners hear of a message once it is safe', async (inbox) => {
  const heard: string[] = []
  const end = inbox.onMessage(({ summary }) => heard.push(summary.ID))
  const ids = await add(inbox, 2)
  assert.deepEqual(heard, ids)
  end()
  await add(inbox, 1)
  assert.deepEqual(heard, ids)
})

withInbox('a message that cannot be taken apart is shown as its source, with the reason', async (inbox) => {
  const raw = Buffer.from(
    `Subject: bomb\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${'--b\r\n\r\n\r\n'.repeat(5_000)}`,
  )
  const { ID } = await inbox.add(raw, ENVELOPE)
  const opened = await open(inbox, ID)
  assert.match(opened.ParseError ?? '', /1000 parts/)
  assert.equal(opened.Subject, 'bomb')
  assert.ok(opened.Text.startsWith('Subject: bomb'))
  assert.deepEqual([opened.HTML, opened.Attachments, opened.Inline], ['', [], []])
  const part = await inbox.part(ID, '1')
  assert.ok(typeof part === 'object' && 'unreadable' in part)
})

withInbox('hostile content is kept and opened like any other', async (inbox) => {
  const hostile = [
    Buffer.alloc(0),
    Buffer.from('\r\n\r\n'),
    Buffer.from('no header at all'),
    Buffer.from('From: a\0b <\0@\0>\r\nMessage-ID: <\0>\r\nSubject: \0\r\n__proto__: x\r\n\r\n\0'),
    Buffer.from('Subject: =?utf-16le?B?ANg=?=\r\nFrom: =?utf-16le?B?ANg=?= <a@example.com>\r\n\r\n'),
    Buffer.from('Content-Type: text/plain; charset=utf-7\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!'),
    Buffer.from(
      'Date: never\r\nList-Unsubscribe: javascript:alert(1)\r\nContent-Type: multipart/mixed\r\n\r\n--',
    ),
    Buffer.from([...Array(256).keys()]),
  ]
  for (const raw of hostile) {
    const { ID } = await inbox.add(raw, ENVELOPE)
    assert.deepEqual(await inbox.raw(ID), raw)
    assert.equal((await open(inbox, ID)).ID, ID)
  }
  assert.equal((await inbox.search(query('is:read -xyz'), ALL)).count, hostile.length)
})

test('ids sort in the order of arrival, within one millisecond too', () => {
  const next = arrivalIds()
  const arrivals = Array.from({ length: 20_000 }, next)
  const ids = arrivals.map(({ id }) => id)
  assert.deepEqual([...ids].sort(), ids)
  assert.equal(new Set(ids).size, ids.length)
  for (const { id, at } of arrivals) {
    assert.match(id, /^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/)
    assert.equal(Number.parseInt(id.slice(0, 12), 16), at)
  }
})
