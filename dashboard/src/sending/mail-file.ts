import { shellWord } from './code-literal.ts'
import type { TestMessage } from './test-message.ts'

/** The shell's commands that write the message as MIME into mail.txt, its attachments read from files. */
export function mailFile(message: TestMessage): string {
  const { attachments } = message
  const mixed = boundary('mixed', message)
  const head = [...header(message)]
  if (attachments.length === 0) return cat([...head, ...bodyPart(message)], '> mail.txt')
  const before = [
    ...head,
    `Content-Type: multipart/mixed; boundary="${mixed}"`,
    '',
    `--${mixed}`,
    ...bodyPart(message),
  ]
  const files = attachments.flatMap(({ filename, type }, index) => [
    cat([
      ...(index === 0 ? [] : ['']),
      `--${mixed}`,
      `Content-Type: ${type}`,
      `Content-Disposition: attachment; ${fileNameParameter(filename)}`,
      'Content-Transfer-Encoding: base64',
      '',
    ]),
    // Some write one long line, which mail has no room for (RFC 5322 §2.1.1).
    `base64 < ${shellWord(filename)} | fold -w 76`,
  ])
  return `{\n${[cat(before), ...files, cat(['', `--${mixed}--`])].join('\n')}\n} > mail.txt`
}

/** Lines that no shell looks into. */
function cat(lines: readonly string[], to = ''): string {
  const text = lines.join('\n')
  const end = delimiter(text)
  return `cat ${to === '' ? '' : `${to} `}<<'${end}'\n${text}\n${end}`
}

/** A line that the contents do not have (RFC 2046 §5.1.1). */
function boundary(name: string, { text, html }: TestMessage): string {
  let boundary = `${name}-part`
  while (text.includes(`--${boundary}`) || html.includes(`--${boundary}`)) boundary += '-'
  return boundary
}

function delimiter(text: string): string {
  const lines = new Set(text.split('\n'))
  let end = 'EOF'
  while (lines.has(end)) end += '_'
  return end
}

function header({ from, to, subject }: TestMessage): readonly string[] {
  const sender = from.name === '' ? from.address : `${phrase(from.name)} <${from.address}>`
  return [`From: ${sender}`, `To: ${to.join(', ')}`, `Subject: ${words(subject)}`, 'MIME-Version: 1.0']
}

function bodyPart(message: TestMessage): readonly string[] {
  const { text, html } = message
  if (text !== '' && html !== '') {
    const alternative = boundary('alternative', message)
    return [
      `Content-Type: multipart/alternative; boundary="${alternative}"`,
      '',
      ...[`--${alternative}`, ...textPart('plain', text), ''],
      ...[`--${alternative}`, ...textPart('html', html), ''],
      `--${alternative}--`,
    ]
  }
  return html === '' ? textPart('plain', text) : textPart('html', html)
}

function textPart(kind: 'plain' | 'html', content: string): readonly string[] {
  return [
    `Content-Type: text/${kind}; charset=utf-8`,
    'Content-Transfer-Encoding: 8bit',
    '',
    ...content.split(/\r\n|\r|\n/),
  ]
}

/** A display name: bare where it is letters alone, else quoted (RFC 5322 §3.2.4) or encoded. */
function phrase(name: string): string {
  if (/^[\w ]+$/.test(name)) return name
  return isPlain(name) ? `"${name.replaceAll(/["\\]/g, '\\$&')}"` : words(name)
}

/** Text of a field, in encoded words where it is more than printable ASCII (RFC 2047 §2), each of which may have 75
 *  characters. */
function words(text: string): string {
  if (isPlain(text) && !text.includes('=?')) return text
  const chunks: string[] = []
  let chunk = ''
  for (const character of text) {
    if (octets(chunk + character).length > 42) {
      chunks.push(chunk)
      chunk = ''
    }
    chunk += character
  }
  return [...chunks, chunk].map((part) => `=?utf-8?B?${octetsToBase64(octets(part))}?=`).join('\n ')
}

/** RFC 2231 §4 for names that are more than printable ASCII. */
function fileNameParameter(name: string): string {
  if (isPlain(name)) return `filename="${name.replaceAll(/["\\]/g, '\\$&')}"`
  const encoded = encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  return `filename*=utf-8''${encoded}`
}

function isPlain(text: string): boolean {
  return /^[ -~]*$/.test(text)
}

function octets(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function octetsToBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}
