import { decodeWords } from './encoded-word.ts'
import { addressesIn } from './find-addresses.ts'
import {
  oneLine,
  phaseIn,
  type ReportedAction,
  type ReportedRecipient,
  replyCodeIn,
  statusIn,
} from './reported-recipient.ts'

const MOST_RECIPIENTS = 100
const MOST_LINES = 20_000
const LONGEST_FIELD = 4_000

/** Reads the fields of a message/delivery-status (RFC 3464 §2.1) or of its international form (RFC 6533 §3), and
 *  those of hosts that put them in an order of their own, leave blank lines out or in, or write them into a part for
 *  people. Lines that are no field are skipped. Out: the recipients; none where no field names one. */
export function readDeliveryStatus(text: string): ReportedRecipient[] {
  const recipients: ReportedRecipient[] = []
  for (const group of groups(text)) {
    if (recipients.length === MOST_RECIPIENTS) break
    recipients.push(recipientOf(group))
  }
  return recipients
}

type Fields = Map<string, string>

/** One map of fields for each recipient. RFC 3464 §2.1 separates them by blank lines; a field that comes again begins
 *  a new one as well, and a group that names nobody belongs to the recipient before it where that lacks its fields. */
function groups(text: string): Fields[] {
  const done: Fields[] = []
  let open: Fields = new Map()
  const close = () => {
    const last = done.at(-1)
    if (namesRecipient(open)) done.push(open)
    else if (last && PER_RECIPIENT.some((name) => open.has(name) && !last.has(name))) {
      for (const [name, value] of open) if (!last.has(name)) last.set(name, value)
    } else if (!last && open.has('action')) {
      carried = open
    }
    open = new Map()
  }
  let carried: Fields = new Map()
  for (const line of unfoldedLines(text)) {
    if (line === '') {
      close()
      continue
    }
    const [, name = '', value = ''] = /^([A-Za-z][A-Za-z0-9-]{1,60})[ \t]*:(.*)$/.exec(line) ?? []
    if (name === '') continue
    const key = name.toLowerCase()
    if (open.has(key) && BEGINS_RECIPIENT.has(key)) close()
    if (!open.has(key)) open.set(key, value.trim())
  }
  close()
  const [first] = done
  if (first) for (const [name, value] of carried) if (!first.has(name)) first.set(name, value)
  return done
}

const BEGINS_RECIPIENT: ReadonlySet<string> = new Set([
  'final-recipient',
  'original-recipient',
  'action',
  'status',
  'diagnostic-code',
])
const PER_RECIPIENT = ['action', 'status', 'diagnostic-code'] as const

function namesRecipient(fields: Fields): boolean {
  return fields.has('final-recipient') || fields.has('original-recipient') || fields.has('x-actual-recipient')
}

/** RFC 5322 §2.2.3: a line that starts with white space continues the one before. Hosts also continue a reply of
 *  several lines without it (`550-5.7.1 …` at the start of a line). */
function unfoldedLines(text: string): string[] {
  const lines: string[] = []
  let left = MOST_LINES
  for (const raw of text.split(/\r?\n/)) {
    if (left-- === 0) break
    const line = raw.slice(0, LONGEST_FIELD)
    const last = lines.length - 1
    const before = lines[last] ?? ''
    if (line.trim() === '') lines.push('')
    else if (before !== '' && (/^[ \t]/.test(line) || /^[245]\d\d[- ]/.test(line))) {
      if (before.length < LONGEST_FIELD) lines[last] = `${before} ${line.trim()}`
    } else lines.push(line.trim())
  }
  return lines
}

function recipientOf(fields: Fields): ReportedRecipient {
  const final = readRecipient(fields.get('final-recipient'))
  const original = readRecipient(fields.get('original-recipient'))
  const actual = readRecipient(fields.get('x-actual-recipient'))
  // A final recipient without a domain is a file or a program behind the address.
  const recipient = [final, original, actual].find((each) => each?.includes('@')) ?? final
  const diagnostic = readDiagnostic(fields.get('diagnostic-code'))
  const statusField = fields.get('status')
  // RFC 3464 §2.3.4 allows a comment, in which some hosts put what the other server said.
  const status = /[245]\.\d{1,3}\.\d{1,3}/.exec(statusField ?? '')?.[0]
  const comment = /\((.*)\)/.exec(statusField ?? '')?.[1]
  const said = diagnostic || oneLine(comment ?? '')
  const sharper = statusIn(said)
  const better = status === undefined || (status.endsWith('.0.0') && sharper !== undefined) ? sharper : status
  const replyCode = replyCodeIn(diagnostic)
  const phase = phaseIn(said)
  const remoteHost = oneLine((fields.get('remote-mta') ?? '').replace(/^[^;]{0,40};/, ''), 255)
  return {
    ...(recipient !== undefined && { recipient }),
    ...(original !== undefined && { originalRecipient: original }),
    action: readAction(fields.get('action'), better),
    ...(better !== undefined && { status: better }),
    ...(replyCode !== undefined && { replyCode }),
    ...(phase !== undefined && { phase }),
    ...(said !== '' && { diagnostic: said }),
    ...(remoteHost !== '' && { remoteHost }),
  }
}

/** RFC 3464 §2.3.2: `address-type ; address`. The type is left out by some, angle brackets are put in by others. */
function readRecipient(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  const [, type = '', rest = ''] = /^(?:([A-Za-z0-9-]{1,40})[ \t]*;)?(.*)$/.exec(value) ?? []
  const written = rest.trim().replace(/^<+|>+$/g, '')
  const plain = type.toLowerCase() === 'utf-8' ? fromUtf8Type(written) : decodeWords(fromXtext(written))
  const address = addressesIn(plain, 1)[0] ?? plain
  return address === '' ? undefined : oneLine(address, 320)
}

/** RFC 6533 §3: utf-8-addr-xtext writes a character as `\x{1F408}`. */
function fromUtf8Type(text: string): string {
  return text.replaceAll(/\\x\{([0-9A-Fa-f]{2,6})\}/g, (whole, hex: string) => {
    const point = Number.parseInt(hex, 16)
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole
  })
}

/** RFC 3461 §4: xtext belongs to ORCPT and should be decoded by now. Only where no `@` stands is it still there. */
function fromXtext(text: string): string {
  if (text.includes('@') || !text.includes('+40')) return text
  return text.replaceAll(/\+([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

/** RFC 3464 §2.3.6: `diagnostic-type ; text`; the type says nothing that the text does not. */
function readDiagnostic(value: string | undefined): string {
  return oneLine((value ?? '').replace(/^[ \t]*[A-Za-z][A-Za-z0-9-]{1,40}[ \t]*;/, ''))
}

/** RFC 3464 §2.3.3. Who leaves it out reports a failure, unless the status says otherwise. */
function readAction(value: string | undefined, status: string | undefined): ReportedAction {
  const word = /^[a-z]+/.exec((value ?? '').toLowerCase())?.[0]
  switch (word) {
    case 'delayed':
    case 'delivered':
    case 'relayed':
    case 'expanded':
      return word
    case undefined:
      return status?.startsWith('2') === true ? 'delivered' : 'failed'
    default:
      return 'failed'
  }
}
