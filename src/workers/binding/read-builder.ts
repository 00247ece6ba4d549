import type { Refusal } from '#model/refusal.ts'
import { MOST_ATTACHMENTS } from '#outbound/accept/read-attachments.ts'
import { MOST_RECIPIENTS } from '#outbound/accept/read-draft.ts'
import type { AddressField, AttachmentField, Fields } from '#outbound/accept/submission.ts'

/** What JSON can say where an object is expected. */
type Given = Readonly<Record<string, unknown>>

const MESSAGE = [
  ...['from', 'to', 'cc', 'bcc', 'replyTo', 'subject'],
  ...['text', 'html', 'headers', 'attachments'],
]
const ADDRESS = ['email', 'name']
const ATTACHMENT = ['content', 'filename', 'type', 'disposition', 'contentId']

/** What the REST API calls our fields: a sender who mixes them up is told. */
const REST_SPELLINGS: Readonly<Record<string, string>> = {
  reply_to: 'replyTo',
  content_id: 'contentId',
  address: 'email',
}

/** No header is shorter than `a: b` and its line end: of more the total is too large whatever they hold. */
const MOST_HEADERS = 4096

/** The `EmailMessageBuilder` of sending-workers-api.md: shapes alone, what the values must be is accept's to say. `null`
 *  is what JavaScript writes for nothing, and counts as such. Lists are counted before they are read, so that what a
 *  Worker gives costs no more memory than it took. */
export function readBuilder(given: unknown): Fields | Refusal {
  if (!isObject(given)) {
    const detail = 'A message must be an EmailMessage, or an object with from, to, subject, and text or html.'
    return { kind: 'field-invalid', pointer: '', detail }
  }
  const unknown = refuseUnknown(given, MESSAGE, '')
  if (unknown) return unknown
  for (const name of ['from', 'to', 'subject']) {
    if (isNothing(given[name])) return missing(name, `/${name}`, 'a message')
  }
  const from = readAddress(given['from'], '/from')
  if (isRefusal(from)) return from
  const to = readAddresses(given['to'], 'to')
  if (isRefusal(to)) return to
  const cc = readAddresses(given['cc'], 'cc')
  if (isRefusal(cc)) return cc
  const bcc = readAddresses(given['bcc'], 'bcc')
  if (isRefusal(bcc)) return bcc
  const replyTo = isNothing(given['replyTo']) ? undefined : readAddress(given['replyTo'], '/replyTo')
  if (isRefusal(replyTo)) return replyTo
  const { subject } = given
  if (typeof subject !== 'string') return wrong('/subject', 'a string')
  const texts = readTexts(given)
  if (isRefusal(texts)) return texts
  const headers = readHeaders(given['headers'])
  if (isRefusal(headers)) return headers
  const attachments = readAttachments(given['attachments'])
  if (isRefusal(attachments)) return attachments
  return {
    kind: 'fields',
    ...{ from, to, cc, bcc, subject, attachments },
    ...(replyTo && { replyTo }),
    ...texts,
    headers: Object.fromEntries(headers.entries),
    names: { replyTo: 'replyTo', contentId: 'contentId' },
  }
}

function readAddress(given: unknown, pointer: string): AddressField | Refusal {
  if (typeof given === 'string') return { address: given, pointer }
  if (!isObject(given)) return wrong(pointer, 'an address as a string, or an object {email, name}')
  const unknown = refuseUnknown(given, ADDRESS, pointer)
  if (unknown) return unknown
  const { email, name } = given
  if (isNothing(email)) return missing('email', `${pointer}/email`, 'an address')
  if (typeof email !== 'string') return wrong(`${pointer}/email`, 'an address as a string')
  if (!isNothing(name) && typeof name !== 'string') return wrong(`${pointer}/name`, 'a string')
  return {
    address: email,
    pointer: `${pointer}/email`,
    namePointer: `${pointer}/name`,
    ...(typeof name === 'string' && { name }),
  }
}

function readAddresses(given: unknown, name: string): readonly AddressField[] | Refusal {
  if (isNothing(given)) return []
  if (!Array.isArray(given)) return one(readAddress(given, `/${name}`))
  if (given.length > MOST_RECIPIENTS) {
    const detail = `${given.length} recipients in '${name}'; ${MOST_RECIPIENTS} in 'to', 'cc' and 'bcc' together is the most.`
    return { kind: 'too-many-recipients', pointer: `/${name}`, detail }
  }
  return each(given, (item, index) => readAddress(item, `/${name}/${index}`))
}

function readTexts(given: Given): { readonly text?: string; readonly html?: string } | Refusal {
  const { text, html } = given
  if (!isNothing(text) && typeof text !== 'string') return wrong('/text', 'a string')
  if (!isNothing(html) && typeof html !== 'string') return wrong('/html', 'a string')
  return { ...(typeof text === 'string' && { text }), ...(typeof html === 'string' && { html }) }
}

/** In a wrapper, since a header may have any name. */
function readHeaders(given: unknown): { readonly entries: readonly (readonly [string, string])[] } | Refusal {
  if (isNothing(given)) return { entries: [] }
  if (!isObject(given)) return wrong('/headers', 'an object of names and values')
  const names = Object.keys(given)
  if (names.length > MOST_HEADERS) {
    const detail = `${names.length} custom headers; their total may have 16KB at most.`
    return { kind: 'headers-too-large', pointer: '/headers', detail }
  }
  const entries: [string, string][] = []
  for (const name of names) {
    const value = given[name]
    if (typeof value !== 'string') {
      const detail = `Header '${clip(name)}' must be a string.`
      return { kind: 'header-value-invalid', pointer: '/headers', detail }
    }
    entries.push([name, value])
  }
  return { entries }
}

function readAttachments(given: unknown): readonly AttachmentField[] | Refusal {
  if (isNothing(given)) return []
  if (!Array.isArray(given)) return wrong('/attachments', 'an array')
  if (given.length > MOST_ATTACHMENTS) {
    const detail = `${given.length} attachments; ${MOST_ATTACHMENTS} is the most.`
    return { kind: 'too-many-attachments', pointer: '/attachments', detail }
  }
  return each(given, (item, index) => readAttachment(item, `/attachments/${index}`))
}

function readAttachment(given: unknown, pointer: string): AttachmentField | Refusal {
  if (!isObject(given)) return wrong(pointer, 'an object {content, filename, type, disposition}')
  const unknown = refuseUnknown(given, ATTACHMENT, pointer)
  if (unknown) return unknown
  const { content, filename, type, disposition, contentId } = given
  for (const name of ['content', 'filename', 'type', 'disposition']) {
    if (isNothing(given[name])) return missing(name, `${pointer}/${name}`, 'an attachment')
  }
  if (typeof content !== 'string') {
    return wrong(`${pointer}/content`, 'base64 in a string, an ArrayBuffer, or a view of one')
  }
  if (typeof filename !== 'string') return wrong(`${pointer}/filename`, 'a string')
  if (typeof type !== 'string') return wrong(`${pointer}/type`, 'a media type as a string')
  if (disposition !== 'attachment' && disposition !== 'inline') {
    return wrong(`${pointer}/disposition`, '"attachment" or "inline"')
  }
  if (!isNothing(contentId) && typeof contentId !== 'string') return wrong(`${pointer}/contentId`, 'a string')
  return {
    ...{ content, filename, type, disposition, pointer },
    ...(typeof contentId === 'string' && { contentId }),
  }
}

/** A field that nobody reads is a slip of the pen, and what it held would be lost in silence. */
function refuseUnknown(given: Given, known: readonly string[], pointer: string): Refusal | undefined {
  const name = Object.keys(given).find((key) => !known.includes(key) && given[key] !== null)
  if (name === undefined) return undefined
  const right = Object.hasOwn(REST_SPELLINGS, name) ? REST_SPELLINGS[name] : undefined
  const hint =
    right !== undefined && known.includes(right) ? ` In the Workers API it is spelled '${right}'.` : ''
  const detail = `Unknown field '${clip(name)}'.${hint}`
  return { kind: 'field-invalid', pointer, detail }
}

function missing(name: string, pointer: string, of: string): Refusal {
  return { kind: 'field-missing', pointer, detail: `'${name}' is missing; ${of} must have it.` }
}

function wrong(pointer: string, right: string): Refusal {
  return { kind: 'field-invalid', pointer, detail: `It must be ${right}.` }
}

function one<T>(read: T | Refusal): readonly T[] | Refusal {
  return isRefusal(read) ? read : [read]
}

function each<T>(
  given: readonly unknown[],
  read: (item: unknown, index: number) => T | Refusal,
): readonly T[] | Refusal {
  const items: T[] = []
  for (const [index, item] of given.entries()) {
    const result = read(item, index)
    if (isRefusal(result)) return result
    items.push(result)
  }
  return items
}

function isRefusal(value: unknown): value is Refusal {
  return isObject(value) && 'detail' in value
}

function isObject(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isNothing(value: unknown): value is null | undefined {
  return value === null || value === undefined
}

function clip(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}
