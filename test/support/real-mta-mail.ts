import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { domainToASCII } from 'node:url'
import type { Mailbox } from '#model/address.ts'
import type { Draft } from '#model/draft.ts'
import type { EventDetail } from '#model/event.ts'
import { skipWithout } from './client-program.ts'
import type { Instance } from './instance.ts'
import type { RealMta, StoredCopy } from './real-mta.ts'
import { storedEvents } from './stored-events.ts'
import { openSubmission } from './submit-raw.ts'
import { variedDrafts } from './varied-drafts.ts'

/** Mail of every kind through a development instance to a real mail server, and what must hold of it there. */

const PYTHON = '/usr/bin/python3'
const AT_ONCE = 8
const SETTLED_WITHIN_MS = 60_000

/** The `skip` of a test. */
export function withoutVerifiers(): false | string {
  return skipWithout(
    'python3-dkim python3-spf python3-dnspython',
    PYTHON,
    '-c',
    'import dkim, spf, dns.resolver',
  )
}

const SENDER = 'app@yourdomain.com'

const TO_JOE = { to: ['joe@example.net'], parameters: '' }
const RAW: readonly {
  readonly content: string
  readonly to: readonly string[]
  readonly parameters: string
}[] = [
  { ...TO_JOE, content: `Content-Type: text/html\r\n\r\n<p>${'x'.repeat(5000)} \r\n` },
  { ...TO_JOE, content: '\r\n.\r\n..\r\nQUIT\r\n.\r\n' },
  { ...TO_JOE, content: 'Subject: no body\r\n\r\n' },
  {
    ...TO_JOE,
    content: 'Subject:\r\n folded \t\r\n  here  \r\n\r\n  leading\r\n\t\r\ntrailing  \t \r\n\r\n\r\n',
  },
  { ...TO_JOE, content: 'Comments: one\r\nComments: two\r\nX-A: 1\r\nX-A: 2\r\n\r\nrepeated fields\r\n' },
  { ...TO_JOE, content: `\r\n${'x'.repeat(998)}\r\n.${'y'.repeat(997)}\r\n` },
  { ...TO_JOE, content: `References: ${'<a.b@example.com>\r\n '.repeat(60)}<c@d.example>\r\n\r\nx\r\n` },
  {
    ...TO_JOE,
    content: 'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nnever closed\r\nFrom here on\r\n',
  },
  {
    ...TO_JOE,
    parameters: 'BODY=8BITMIME',
    content:
      'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße, 你好\r\n',
  },
  { ...TO_JOE, content: 'Subject: 8-bit sübject\r\n\r\n8-bit bödy in no charset\r\n' },
  {
    ...TO_JOE,
    to: ['one@example.net', 'two@example.net', 'three@example.org'],
    content: '\r\nthree of them\r\n',
  },
  {
    to: ['用户@例え.テスト'],
    parameters: 'SMTPUTF8 BODY=8BITMIME',
    content: 'To: 用户@例え.テスト\r\nSubject: Größe\r\n\r\nx\r\n',
  },
]

/** Sends it, by REST and by SMTP submission; every message has to be accepted. Resolves with their Message-IDs.
 *  `every` leaves out all but each third (say) of the drafts. */
export async function sendVaried(instance: Instance, every = 3): Promise<readonly string[]> {
  const drafts = variedDrafts(0).filter((_, i) => i % every === 0)
  const sent: string[] = []
  const sendDrafts = async () => {
    for (let draft = drafts.pop(); draft; draft = drafts.pop()) sent.push(await sendDraft(instance, draft))
  }
  await Promise.all([...Array.from({ length: AT_ONCE }, sendDrafts), submitAll(instance, sent)])
  return sent
}

async function sendDraft(instance: Instance, draft: Draft): Promise<string> {
  const { status, body } = await instance.send(requestOf(draft))
  assert.equal(
    status,
    200,
    `${JSON.stringify(body.errors)} for ${JSON.stringify(requestOf(draft)).slice(0, 500)}`,
  )
  return body.result?.message_id ?? ''
}

/** A draft as a request, without what the door refuses. */
function requestOf(draft: Draft): object {
  const { to, cc, replyTo, subject, text = '', html = '', attachments, headers } = draft
  const named = ({ address, name }: Mailbox) => (name === undefined ? { address } : { address, name })
  const names = new Set(headers.map(([name]) => name))
  return {
    from: { ...named(draft.from), address: SENDER },
    ...(to.length > 0 && { to: to.map(named) }),
    ...(cc.length > 0 && { cc: cc.map(named) }),
    ...(to.length + cc.length === 0 && { bcc: 'hidden@example.net' }),
    ...(replyTo && { reply_to: named(replyTo) }),
    subject,
    text: text === '' && html === '' ? 'x' : text.toWellFormed(),
    ...(html !== '' && { html: html.toWellFormed() }),
    headers: Object.fromEntries(
      headers.filter(([name]) => name !== 'List-Unsubscribe-Post' || names.has('List-Unsubscribe')),
    ),
    attachments: attachments.map(({ content, contentId = '', filename, type, disposition }) => ({
      disposition,
      filename: filename.slice(0, 120),
      type: /^(?!multipart)\w+\//.test(type) ? type : 'application/octet-stream',
      content: content.toString('base64'),
      ...(contentId !== '' && { content_id: contentId.replaceAll(/[^\w@.]/g, '') }),
    })),
  }
}

async function submitAll(instance: Instance, sent: string[]): Promise<void> {
  using session = await openSubmission(instance.dev)
  for (const { to, parameters, content } of RAW) {
    const message = Buffer.from(`From: ${SENDER}\r\n${content}`)
    const reply = await session.submit({ from: SENDER, to: to.map(octets), content: message, parameters })
    const [, messageId] = /^250 2\.0\.0 Ok (<.*>)$/.exec(reply) ?? []
    assert.ok(messageId !== undefined, `${reply} for ${content.slice(0, 100)}`)
    sent.push(messageId)
  }
}

/** One character for each octet. */
function octets(text: string): string {
  return Buffer.from(text).toString('latin1')
}

export interface Delivered {
  readonly messageId: string
  readonly recipient: string
  readonly state: string
  /** Of its attempts, in order. */
  readonly events: readonly { readonly type: string; readonly detail: EventDetail }[]
}

/** Every delivery that the instance promised, once none is open any more. */
export async function settledDeliveries(instance: Instance): Promise<readonly Delivered[]> {
  const end = Date.now() + SETTLED_WITHIN_MS
  for (;;) {
    const deliveries = readDeliveries(instance.directory)
    const open = deliveries.filter(({ state }) => state === 'waiting' || state === 'claimed')
    if (open.length === 0) return deliveries
    if (Date.now() > end) assert.fail(`${open.length} open: ${JSON.stringify(open[0], undefined, 1)}`)
    await sleep(100)
  }
}

function readDeliveries(directory: string): readonly Delivered[] {
  const db = new DatabaseSync(join(directory, 'posthorn.sqlite'), { readOnly: true })
  try {
    const rows = db
      .prepare(
        'select d.id, d.recipient, d.state, m.header_message_id from delivery d join message m on m.id = d.message_id',
      )
      .all()
    // In this order: what has a state has its event.
    const events = Map.groupBy(storedEvents(directory), ({ delivery_id: id }) => String(id))
    return rows.map((row) => ({
      messageId: String(row['header_message_id']),
      recipient: String(row['recipient']),
      state: String(row['state']),
      // As the event's room wrote it.
      events: (events.get(String(row['id'])) ?? []).map(({ type, detail }) => ({
        type,
        detail: JSON.parse(detail) as EventDetail,
      })),
    }))
  } finally {
    db.close()
  }
}

/** What must hold once everything is settled: every recipient of every message is in the Maildir once and nothing else
 *  is, came over TLS by both sides' account, verifies with dkimpy, and passes SPF in pyspf. */
export async function checkStored(
  { instance, mta }: { readonly instance: Instance; readonly mta: RealMta },
  sent: readonly string[],
): Promise<readonly Delivered[]> {
  assert.ok(sent.length >= 50, `${sent.length} messages`)
  const deliveries = await settledDeliveries(instance)
  const failed = deliveries.find(({ state }) => state !== 'delivered')
  assert.equal(failed, undefined, `${JSON.stringify(failed, undefined, 1)}\n${mta.lastWords()}`)
  assert.deepEqual(new Set(deliveries.map(({ messageId }) => messageId)), new Set(sent))

  const stored = await storedCopies(mta, deliveries.length)
  assert.deepEqual(
    stored.map((copy) => `${messageIdOf(copy)} ${ascii(copy.recipient)}`).toSorted(),
    deliveries.map(({ messageId, recipient }) => `${messageId} ${ascii(recipient)}`).toSorted(),
  )
  assert.equal(new Set(stored.map(({ returnPath }) => returnPath)).size, stored.length, 'a return path each')

  for (const { events } of deliveries) {
    const { type, detail } = events.at(-1) ?? assert.fail('no event')
    assert.equal(type, 'delivered')
    assert.match(detail.tls ?? 'none', /^TLSv1\.[23]/, JSON.stringify(detail))
  }
  for (const { received } of stored) assert.match(received, OVER_TLS)
  checkVerified(instance, stored)
  return deliveries
}

/** As Postfix and as Exim write it down (RFC 3848, RFC 6531 §4.3). */
const OVER_TLS = /\(using TLSv1\.[23] .* with (?:UTF8SMTPS|ESMTPS) |with (?:utf8)?esmtps \(TLS1\.[23]\)/

/** A mail server answers before it has put the message away. */
async function storedCopies(mta: RealMta, count: number): Promise<readonly StoredCopy[]> {
  const end = Date.now() + SETTLED_WITHIN_MS
  let stored = mta.stored()
  while (stored.length < count && Date.now() < end) {
    await sleep(100)
    stored = mta.stored()
  }
  return stored
}

function messageIdOf({ content }: StoredCopy): string {
  return /^Message-ID: (<.*>)\r$/m.exec(content.toString('latin1'))?.[1] ?? ''
}

/** Mail servers write the domain in either form. */
function ascii(address: string): string {
  const at = address.lastIndexOf('@')
  return `${address.slice(0, at)}@${domainToASCII(address.slice(at + 1))}`
}

function checkVerified(instance: Instance, stored: readonly StoredCopy[]): void {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-stored-'))
  try {
    const messages = stored.map(({ content, returnPath }, i) => {
      assert.match(returnPath, /^[^@]+@cf-bounce\.yourdomain\.com$/)
      const file = join(folder, `${i}.eml`)
      writeFileSync(file, content)
      return { file, sender: returnPath, helo: 'posthorn.test' }
    })
    // A verifier that passes everything would prove nothing.
    const tampered = join(folder, 'tampered.eml')
    const [first] = stored
    writeFileSync(
      tampered,
      Buffer.concat([first?.content ?? Buffer.alloc(0), Buffer.from('one more line\r\n')]),
    )
    const script = join(import.meta.dirname, 'verify-stored.py')
    const asked = [...messages, { ...messages[0], file: tampered }]
    const printed = execFileSync(PYTHON, [script, String(instance.dev.dns.port), '127.0.0.1'], {
      input: JSON.stringify(asked),
      encoding: 'utf8',
    })
    // The script's header comment says what it prints.
    const judged = JSON.parse(printed) as { dkim: string; spf: string; elsewhere: string }[]
    assert.equal(judged.length, asked.length)
    assert.notEqual(judged.pop()?.dkim, 'pass', 'the tampered one')
    for (const [i, { dkim, spf, elsewhere }] of judged.entries()) {
      const story = String(stored[i]?.content.subarray(0, 3000))
      assert.equal(dkim, 'pass', story)
      assert.equal(spf, 'pass', story)
      assert.match(elsewhere, /^(?:soft)?fail/)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
