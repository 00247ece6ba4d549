import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, test } from 'node:test'
import { openMimeReader } from './mime-reader.ts'
import type { MimeView, Unreadable } from './read-mime.ts'

const reader = openMimeReader()
after(() => reader.close())

function view(...lines: string[]): Promise<MimeView | Unreadable | 'busy' | undefined> {
  return reader.view(async () => Buffer.from(lines.join('\r\n')))
}

async function viewed(...lines: string[]): Promise<MimeView> {
  const result = await view(...lines)
  assert.ok(typeof result === 'object' && !('unreadable' in result), JSON.stringify(result))
  return result
}

async function refused(raw: Buffer, timeLimitMs?: number): Promise<string> {
  const patient = openMimeReader(timeLimitMs === undefined ? {} : { timeLimitMs })
  try {
    const result = await patient.view(async () => raw)
    assert.ok(typeof result === 'object' && 'unreadable' in result, 'it was taken apart')
    return result.unreadable
  } finally {
    await patient.close()
  }
}

const MIXED = [
  'Content-Type: multipart/mixed; boundary=m',
  '',
  '--m',
  'Content-Type: multipart/related; boundary=r',
  '',
  '--r',
  'Content-Type: text/html; charset=iso-8859-1',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  '<p>Gr=FC=DFe</p>',
  '--r',
  'Content-Type: image/png',
  'Content-ID: <logo@example>',
  'Content-Transfer-Encoding: base64',
  '',
  'iVBORw==',
  '--r--',
  '--m',
  'Content-Type: text/csv',
  "Content-Disposition: attachment; filename*=utf-8''%e2%82%ac%20rates.csv",
  '',
  'a,b',
  '--m',
  'Content-Type: message/rfc822',
  'Content-Disposition: attachment; filename=forwarded.eml',
  '',
  'Subject: inside',
  '',
  'text of the nested message',
  '--m--',
]

test('a message is taken apart into texts, attachments and embedded parts', async () => {
  const { text, html, attachments, inline } = await viewed(...MIXED)
  assert.match(html, /<p>Grüße<\/p>/)
  assert.equal(text, 'Grüße')
  assert.deepEqual(
    attachments.map(({ PartID, FileName, ContentType }) => [PartID, FileName, ContentType]),
    [
      ['2', '€ rates.csv', 'text/csv'],
      ['3', 'forwarded.eml', 'message/rfc822'],
    ],
  )
  const png = Buffer.from('iVBORw==', 'base64')
  const [logo] = inline
  assert.deepEqual(logo, {
    PartID: '1',
    FileName: 'logo@example',
    ContentType: 'image/png',
    ContentID: 'logo@example',
    Size: 4,
    Checksums: {
      MD5: createHash('md5').update(png).digest('hex'),
      SHA1: createHash('sha1').update(png).digest('hex'),
      SHA256: createHash('sha256').update(png).digest('hex'),
    },
  })
})

test('a part is read by its PartID', async () => {
  const source = async () => Buffer.from(MIXED.join('\r\n'))
  const part = await reader.part(source, '1')
  assert.ok(typeof part === 'object' && 'content' in part)
  assert.equal(Buffer.from(part.content).toString('base64'), 'iVBORw==')
  for (const unknown of ['0', '4', '01', '1.1', '__proto__', '']) {
    assert.equal(await reader.part(source, unknown), undefined)
  }
})

test('a message that is gone when its turn comes has no view', async () => {
  assert.equal(await reader.view(async () => undefined), undefined)
})

test('text and no message at all are text', async () => {
  assert.equal((await viewed('', 'Hello')).text.trim(), 'Hello')
  assert.equal((await viewed('')).text, '')
})

test('an attachment of 25 MB is read', async () => {
  const content = Buffer.alloc(25_000_000, 'posthorn')
  const lines = content.toString('base64').replace(/.{76}/g, '$&\r\n')
  const head = [
    ...['Content-Type: multipart/mixed; boundary=b', '', '--b', 'Content-Type: application/zip'],
    ...['Content-Transfer-Encoding: base64', 'Content-Disposition: attachment; filename=big.zip', '', ''],
  ]
  const raw = Buffer.from(`${head.join('\r\n')}${lines}\r\n--b--\r\n`)
  const part = await reader.part(async () => raw, '1')
  assert.ok(typeof part === 'object' && 'content' in part)
  assert.ok(content.equals(part.content))
})

test('bombs are named and not taken apart', async () => {
  const mixed = 'Content-Type: multipart/mixed; boundary=b\n\n'
  assert.match(await refused(Buffer.from(`${mixed}${'--b\n\n\n'.repeat(90_000)}`)), /1000 parts/)
  assert.match(await refused(Buffer.from(`${mixed}${'--b\n\n\n'.repeat(400_000)}`)), /1200002 lines/)
  assert.match(await refused(Buffer.from(`A: b\n\n${'x\n'.repeat(200_000)}`)), /200000 lines of text/)
  const headers = Buffer.from(`${'X-A: b\n'.repeat(400_000)}\nbody`)
  assert.match(await refused(headers), /header/i)
  const nested = Array.from(
    { length: 300 },
    (_, i) => `Content-Type: multipart/mixed; boundary=b${i}\n\n--b${i}\n`,
  )
  assert.match(await refused(Buffer.from(nested.join(''))), /nesting depth/)
})

test('what takes too long ends, and later messages are read', async () => {
  const slow = Buffer.from(`A: b\n\n${'some words\n'.repeat(140_000)}`)
  const hasty = openMimeReader({ timeLimitMs: 50 })
  try {
    assert.match(JSON.stringify(await hasty.view(async () => slow)), /more than 0.05 s/)
    // A busy machine may be too slow for a small message as well.
    for (;;) {
      const result = await hasty.view(async () => Buffer.from('A: b\n\nc'))
      if (typeof result === 'object' && 'text' in result) break
    }
  } finally {
    await hasty.close()
  }
})

test('a source that cannot be read fails its own call alone', async () => {
  const broken = reader.view(() => Promise.reject(new Error('disk')))
  const next = viewed('A: b', '', 'fine')
  await assert.rejects(broken, /disk/)
  assert.match((await next).text, /fine/)
})

test('closing answers those who wait', async () => {
  const closing = openMimeReader()
  const views = [1, 2, 3].map(() => closing.view(async () => Buffer.from(`A: b\n\n${'x\n'.repeat(100_000)}`)))
  await closing.close()
  for (const result of await Promise.all(views)) assert.ok(result !== undefined)
})

test('work of somebody who has gone is dropped, and past the queue a call is busy', async () => {
  const short = openMimeReader({ maxWaiting: 2 })
  try {
    const slow = short.view(async () => Buffer.from(`A: b\n\n${'x\n'.repeat(100_000)}`))
    const gone = new AbortController()
    const never = async () => assert.fail('it was read')
    const dropped = [short.view(never, gone.signal), short.part(never, '1', gone.signal)]
    assert.equal(await short.view(async () => Buffer.from('c')), 'busy')
    gone.abort(new Error('gone'))
    for (const result of await Promise.allSettled(dropped)) assert.equal(result.status, 'rejected')
    assert.ok(typeof (await short.view(async () => Buffer.from('A: b\n\nc'))) === 'object')
    assert.ok(typeof (await slow) === 'object')
  } finally {
    await short.close()
  }
})
