import type { Address, Mailbox } from '#model/address.ts'
import { foldAddress } from '#model/address.ts'
import type { Draft } from '#model/draft.ts'
import type { Refusal } from '#model/refusal.ts'
import { parseAddress } from '#protocol/address.ts'
import { checkCustomHeaders } from './custom-headers.ts'
import { lineFlaw } from './line-flaw.ts'
import { readAttachments } from './read-attachments.ts'
import type { Recipient } from './recipient.ts'
import type { AddressField, Fields } from './submission.ts'

/** A draft and its envelope recipients: To, Cc and Bcc, each mailbox once, in the order given. */
export interface ReadDraft {
  readonly draft: Draft
  readonly from: Address
  readonly recipients: readonly Recipient[]
  /** A lower bound of the composed size, so that what is far too large is never composed. */
  readonly leastBytes: number
}

export const MOST_RECIPIENTS = 50
const LONGEST_SUBJECT = 998
const LONGEST_NAME = 320

/** Fields to a draft: every rule about one value that needs no lookup (api-sending.md, platform-limits.md). */
export function readDraft(fields: Fields): ReadDraft | Refusal {
  const text = fields.text || undefined
  const html = fields.html || undefined
  const refusal = checkTexts(fields, text, html) ?? checkCount(fields)
  if (refusal) return refusal

  const from = readMailbox(fields.from)
  if ('kind' in from) return from
  const to = readMailboxes(fields.to)
  if ('kind' in to) return to
  const cc = readMailboxes(fields.cc)
  if ('kind' in cc) return cc
  const bcc = readMailboxes(fields.bcc)
  if ('kind' in bcc) return bcc
  const replyTo = fields.replyTo && readMailbox(fields.replyTo)
  if (replyTo && 'kind' in replyTo) return replyTo
  const custom = checkCustomHeaders(fields.headers, fields.names)
  if ('kind' in custom) return custom
  const attachments = readAttachments(fields.attachments, fields.names)
  if ('kind' in attachments) return attachments

  const draft: Draft = {
    from,
    to: to.mailboxes,
    cc: cc.mailboxes,
    ...(replyTo && { replyTo }),
    subject: fields.subject,
    ...(text !== undefined && { text }),
    ...(html !== undefined && { html }),
    attachments: attachments.attachments,
    headers: custom.headers,
  }
  const pointers = [...fields.to, ...fields.cc, ...fields.bcc]
  const recipients = [...to.mailboxes, ...cc.mailboxes, ...bcc.mailboxes].map(({ address }, index) => ({
    address,
    pointer: pointers[index]?.pointer ?? '/to',
  }))
  const attached = draft.attachments.reduce((sum, { content }) => sum + Math.ceil(content.length / 3) * 4, 0)
  const leastBytes = attached + (text?.length ?? 0) + (html?.length ?? 0)
  return { draft, from: from.address, recipients: distinct(recipients), leastBytes }
}

function checkTexts(fields: Fields, text: string | undefined, html: string | undefined): Refusal | undefined {
  // Counted in characters, as the page does, but only where the answer is not plain already.
  const characters =
    fields.subject.length > 2 * LONGEST_SUBJECT ? fields.subject.length : Array.from(fields.subject).length
  if (characters > LONGEST_SUBJECT) {
    const detail = `The subject has ${characters} characters; ${LONGEST_SUBJECT} is the most.`
    return { kind: 'field-invalid', pointer: '/subject', detail }
  }
  const flaw = lineFlaw(fields.subject)
  if (flaw) return { kind: 'field-invalid', pointer: '/subject', detail: `The subject ${flaw}.` }
  if (text === undefined && html === undefined) {
    return {
      kind: 'field-missing',
      pointer: '/text',
      detail: "Give 'text', 'html' or both; neither has content.",
    }
  }
  for (const [name, value] of [
    ['text', text],
    ['html', html],
  ] as const) {
    if (value !== undefined && !value.isWellFormed()) {
      const detail = `'${name}' contains half of a surrogate pair, which is no Unicode character.`
      return { kind: 'field-invalid', pointer: `/${name}`, detail }
    }
  }
  return undefined
}

function checkCount({ to, cc, bcc }: Fields): Refusal | undefined {
  const count = to.length + cc.length + bcc.length
  if (count === 0) {
    return {
      kind: 'field-missing',
      pointer: '/to',
      detail: "Name at least one recipient in 'to', 'cc' or 'bcc'.",
    }
  }
  if (count <= MOST_RECIPIENTS) return undefined
  const detail = `${count} recipients in 'to', 'cc' and 'bcc' together; ${MOST_RECIPIENTS} is the most.`
  const [largest] = [to, cc, bcc].toSorted((a, b) => b.length - a.length)
  const pointer = largest?.[0]?.pointer.split('/')[1] ?? 'to'
  return { kind: 'too-many-recipients', pointer: `/${pointer}`, detail }
}

export function readAddress(field: AddressField): Address | Refusal {
  const parsed = parseAddress(field.address)
  if (typeof parsed === 'string') return parsed
  return {
    kind: 'field-invalid',
    pointer: field.pointer,
    detail: `${quote(field.address)}: ${parsed.detail}`,
  }
}

function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text)
}

function readMailbox(field: AddressField): Mailbox | Refusal {
  const address = readAddress(field)
  if (typeof address !== 'string') return address
  if (!field.name) return { address }
  const flaw =
    field.name.length > LONGEST_NAME ? `is longer than ${LONGEST_NAME} characters` : lineFlaw(field.name)
  if (flaw) {
    const pointer = field.namePointer ?? field.pointer
    return { kind: 'field-invalid', pointer, detail: `The display name ${flaw}.` }
  }
  return { address, name: field.name }
}

function readMailboxes(
  fields: readonly AddressField[],
): { readonly mailboxes: readonly Mailbox[] } | Refusal {
  const mailboxes: Mailbox[] = []
  for (const field of fields) {
    const mailbox = readMailbox(field)
    if ('kind' in mailbox) return mailbox
    mailboxes.push(mailbox)
  }
  return { mailboxes }
}

/** The same address twice is one delivery. */
export function distinct(recipients: readonly Recipient[]): readonly Recipient[] {
  const seen = new Map<string, Recipient>()
  for (const recipient of recipients) {
    const key = foldAddress(recipient.address)
    if (!seen.has(key)) seen.set(key, recipient)
  }
  return [...seen.values()]
}
