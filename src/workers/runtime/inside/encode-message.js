// A message that a Worker sends, as the host reads it: what was raw stays octets, a builder becomes JSON in which
// binary content is base64, as it is in the REST API.

const RAW = Symbol.for('posthorn.raw')

/** The request that carries it. Throws with a code where JSON cannot say it. */
export async function encodeMessage(message) {
  if (message === null || typeof message !== 'object') {
    throw withCode(new TypeError('A message must be an EmailMessage or an object.'), 'E_VALIDATION_ERROR')
  }
  if (RAW in message) {
    const { from, to } = message
    const body = await new Response(message[RAW]).arrayBuffer()
    return { headers: { 'x-posthorn-envelope': utf8Base64(JSON.stringify({ from, to })) }, body }
  }
  try {
    return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(builderOf(message)) }
  } catch (cause) {
    throw withCode(new TypeError(`The message cannot be read: ${cause.message}`), 'E_VALIDATION_ERROR')
  }
}

export function withCode(error, code) {
  error.code = code
  return error
}

const MESSAGE_TOO_LARGE = {
  code: 'E_CONTENT_TOO_LARGE',
  message: 'The message is too large: 25 MiB is the most, attachments included.',
}

/** Throws what the host refused, as an error of the caller's own; `tooLarge` for what it has not even read. */
export async function resultOf(asked, tooLarge = MESSAGE_TOO_LARGE) {
  const response = await asked.catch((cause) => {
    throw withCode(cause, 'E_INTERNAL_SERVER_ERROR')
  })
  if (response.status === 413) throw withCode(new Error(tooLarge.message), tooLarge.code)
  if (!response.ok) throw withCode(new Error('Internal server error'), 'E_INTERNAL_SERVER_ERROR')
  const answer = await response.json()
  if (answer.code !== undefined) throw withCode(new Error(answer.message), answer.code)
  return { messageId: answer.messageId }
}

/** In JSON of ASCII alone, as a header carries it. */
export function utf8Base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
}

const ADDRESSES = ['to', 'cc', 'bcc']
const MESSAGE = ['from', ...ADDRESSES, 'replyTo', 'subject', 'text', 'html', 'headers', 'attachments']
const ADDRESS = ['email', 'name']
const ATTACHMENT = ['content', 'filename', 'type', 'disposition', 'contentId']

function builderOf(message) {
  const fields = fieldsOf(message, MESSAGE)
  const { headers, attachments } = fields
  for (const name of ['from', 'replyTo']) fields[name] = fieldsOf(fields[name], ADDRESS)
  for (const name of ADDRESSES) {
    const given = fields[name] instanceof Set ? [...fields[name]] : fields[name]
    fields[name] = Array.isArray(given)
      ? given.map((each) => fieldsOf(each, ADDRESS))
      : fieldsOf(given, ADDRESS)
  }
  if (headers instanceof Headers || headers instanceof Map) fields.headers = Object.fromEntries(headers)
  if (Array.isArray(attachments)) {
    fields.attachments = attachments.map((given) => {
      const attachment = fieldsOf(given, ATTACHMENT)
      return attachment === given ? given : { ...attachment, content: textOf(attachment.content) }
    })
  }
  return fields
}

/** Its own, and those that its class gives it, which JSON passes over. What is no object stays. */
function fieldsOf(given, names) {
  if (given === null || typeof given !== 'object') return given
  const inherited = names.filter((name) => given[name] !== undefined)
  return { ...given, ...Object.fromEntries(inherited.map((name) => [name, given[name]])) }
}

function textOf(content) {
  if (content instanceof ArrayBuffer) return base64(new Uint8Array(content))
  if (!ArrayBuffer.isView(content)) return content
  return base64(new Uint8Array(content.buffer, content.byteOffset, content.byteLength))
}

/** A multiple of 3, so that the pieces of base64 join; small enough for an argument list. */
const PIECE = 0x6000

function base64(octets) {
  let text = ''
  for (let at = 0; at < octets.length; at += PIECE) {
    text += btoa(String.fromCharCode(...octets.subarray(at, at + PIECE)))
  }
  return text
}
