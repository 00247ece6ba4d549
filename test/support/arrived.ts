import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import PostalMime, { type Email } from 'postal-mime'
import { checkSigned } from './check-signed.ts'
import type { Instance } from './instance.ts'

/** A copy in the inbox, with its bytes. */
export interface Arrived {
  /** The recipient of its envelope: one, since each has a transaction of its own. */
  readonly to: string
  readonly returnPath: string
  readonly raw: Buffer
  /** With the CRLF of its last line; one character for each octet. */
  readonly header: string
  readonly body: Buffer
  /** Read by a parser that is not ours. */
  readonly mail: Email
}

const WAIT_MS = 15_000

/** What is in the inbox, once it is `count` copies, in the order of their recipients. Fails where there are more. */
export async function arrived(instance: Instance, count: number): Promise<Arrived[]> {
  const end = Date.now() + WAIT_MS
  for (;;) {
    const answer = await fetch(`${instance.dev.inbox}/messages?limit=1000`)
    // The test states the shape that the API documents.
    const { messages } = (await answer.json()) as {
      messages: { ID: string; Envelope: { From: string; To: string[] } }[]
    }
    if (messages.length >= count || Date.now() > end) {
      assert.equal(messages.length, count, 'messages in the inbox')
      const copies = await Promise.all(messages.map((message) => copyOf(instance, message)))
      return copies.toSorted((a, b) => (a.to < b.to ? -1 : 1))
    }
    await sleep(30)
  }
}

/** The one copy that is in the inbox. */
export async function theOneArrived(instance: Instance): Promise<Arrived> {
  const [copy] = await arrived(instance, 1)
  assert.ok(copy)
  return copy
}

export async function emptyInbox(instance: Instance): Promise<void> {
  const answer = await fetch(`${instance.dev.inbox}/messages`, { method: 'DELETE' })
  assert.equal(answer.status, 200)
}

async function copyOf(
  instance: Instance,
  { ID, Envelope }: { readonly ID: string; readonly Envelope: { From: string; To: string[] } },
): Promise<Arrived> {
  const raw = Buffer.from(await (await fetch(`${instance.dev.inbox}/message/${ID}/raw`)).arrayBuffer())
  const end = raw.indexOf('\r\n\r\n') + 2
  const [to = '', ...more] = Envelope.To
  assert.deepEqual(more, [], 'one recipient in each transaction')
  return {
    to,
    returnPath: Envelope.From,
    raw,
    header: raw.toString('latin1', 0, end),
    body: raw.subarray(end + 2),
    mail: await PostalMime.parse(raw),
  }
}

/** One attachment, byte for byte. */
export function checkAttachment(
  { mail }: Arrived,
  wanted: { readonly filename: string; readonly type: string; readonly bytes: Buffer },
): void {
  assert.deepEqual(
    mail.attachments.map(({ filename, mimeType, disposition }) => [filename, mimeType, disposition]),
    [[wanted.filename, wanted.type, 'attachment']],
  )
  const content = mail.attachments[0]?.content
  assert.ok(content instanceof ArrayBuffer)
  assert.ok(Buffer.from(content).equals(wanted.bytes), 'the attachment, byte for byte')
}

/** What holds for every copy of a message that came over submission, whoever sent it: our trace line alone, no Bcc, the
 *  Message-ID that the 250 named, and a signature that verifies. */
export async function checkSubmitted(instance: Instance, copy: Arrived, reply?: string): Promise<void> {
  const { header } = copy
  assert.match(header, /^Received: by posthorn\.test with ESMTPSA id [0-9a-f]{32};/m)
  assert.equal(header.match(/^Received:/gim)?.length, 1)
  assert.doesNotMatch(header, /^Bcc:/im)
  for (const name of ['Message-ID', 'Date', 'MIME-Version', 'From', 'DKIM-Signature', 'Feedback-ID']) {
    assert.equal(header.match(new RegExp(`^${name}:`, 'gim'))?.length, 1, `${name} in\n${header}`)
  }
  if (reply !== undefined) {
    const [, messageId] = /\b250 2\.0\.0 Ok (<[^<>\s]+@yourdomain\.com>)/.exec(reply) ?? []
    assert.equal(copy.mail.messageId, messageId, `the Message-ID of ${reply}`)
  }
  await checkSigned(instance, copy)
}
