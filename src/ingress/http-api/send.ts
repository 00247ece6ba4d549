import { hash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import {
  addressObject,
  type SendRawRequest,
  type SendRequest,
  type SendResult,
  sendRawRequest,
  sendRequest,
} from '#contract/sending.ts'
import type { Accepted } from '#outbound/accept/accept-world.ts'
import type { Repeatable } from '#outbound/accept/idempotency.ts'
import type { AddressField, Fields, Raw } from '#outbound/accept/submission.ts'
import type { Principal } from '#registry/accounts/accounts.ts'
import { refuse, succeed, turnAway } from './answer.ts'
import { authenticate } from './authenticate.ts'
import { type BodyBudget, openBodyBudget } from './body-budget.ts'
import type { HttpWorld } from './http-world.ts'
import { readJson } from './read-json.ts'

/** `POST /accounts/{account_id}/email/sending/send` and `…/send_raw` (sending-rest-api.md, api-sending.md). */
export function sendRoutes(api: FastifyInstance, world: HttpWorld): void {
  const base = '/accounts/:accountId/email/sending'
  const room = { bodies: openBodyBudget(), only: 'tokens' } as const
  serveSend(api, `${base}/send`, world, { ...room, ...FIELDS })
  serveSend(api, `${base}/send_raw`, world, { ...room, schema: sendRawRequest, submission: rawOf })
}

/** A route that sends what its body says, in the account that its path names. */
export function serveSend<T>(
  api: FastifyInstance,
  path: string,
  world: HttpWorld,
  { schema, submission, ...door }: Form<T> & SendDoor,
): void {
  api.post(path, {
    bodyLimit: LARGEST_BODY,
    // Before a single byte of the body is kept: strangers cost nothing.
    onRequest: async (request, reply) => {
      const by = await admit(request, reply, world, door)
      if (by) principals.set(request, by)
      return by ? undefined : reply
    },
    handler: (request, reply) => send(request, reply, world, { schema, submission }),
  })
}

interface SendDoor {
  readonly bodies: BodyBudget
  readonly only: 'tokens' | 'sessions'
}

interface Form<T> {
  readonly schema: z.ZodType<T>
  readonly submission: (body: T) => Fields | Raw
}

/** A message of 25 MiB has its attachments in base64 already; the rest is room for JSON's escapes. */
const LARGEST_BODY = 48 * 1_048_576
const params = z.object({ accountId: z.string() })
const principals = new WeakMap<FastifyRequest, Principal>()

/** A message by its fields. */
export const FIELDS: Form<SendRequest> = { schema: sendRequest, submission: fieldsOf }

/** Who sends, and is there room for what it sends? Out: undefined once the reply has said no. */
async function admit(
  request: FastifyRequest,
  reply: FastifyReply,
  world: HttpWorld,
  { bodies, only }: SendDoor,
): Promise<Principal | undefined> {
  const { accountId } = params.parse(request.params)
  const { accounts, log } = world
  const by = await authenticate(request, reply, {
    accounts,
    log,
    accountId,
    permission: 'Email Sending:Edit',
    inSomeZone: true,
    only,
  })
  if (!by) return undefined
  const length = request.headers['content-length']
  if (length === undefined) {
    turnAway(reply, 'noContentLength', 'The request needs a Content-Length header; a chunked body has none.')
  } else if (Number(length) > LARGEST_BODY) {
    const detail = `The request body has ${length} bytes; ${LARGEST_BODY} is the most, for a message of 25 MiB.`
    turnAway(reply, 'tooBig', detail)
  } else if (!bodies.reserve(Number(length), reply)) {
    reply.header('retry-after', '1')
    turnAway(reply, 'overloaded', 'Too many large requests at once; try again in a second.')
  } else {
    // JSON by route, whatever the type says: a faulty one must not be refused before anybody reads the body.
    request.headers['content-type'] = 'application/json'
    return by
  }
  return undefined
}

async function send<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  world: HttpWorld,
  form: Form<T>,
): Promise<FastifyReply> {
  const by = principals.get(request)
  if (!by) throw new Error('a request that was not admitted reached its handler')
  const body = readJson(request.body, form.schema, BINDING_SPELLINGS)
  if (!body.ok) return refuse(reply, body.refusal)
  const repeatable = repeatableOf(request, by.tokenId)
  if (repeatable === 'malformed') {
    const detail = 'The header Idempotency-Key must be 1 to 255 printable ASCII characters.'
    return refuse(reply, { kind: 'field-invalid', detail })
  }
  const outcome = await world.acceptor.accept(form.submission(body.value), by, {
    waitMs: world.sendWaitMs,
    protocol: 'HTTP',
    ...(repeatable && { repeatable }),
    // SDKs repeat a POST on 5xx. From here on the message may exist, and a repetition could be a second one.
    onCommitting: () => void reply.header('x-should-retry', 'false'),
  })
  if (!('kind' in outcome)) return succeed(reply, resultOf(outcome))
  // To wait for tomorrow is not the client's library's to decide.
  if (outcome.kind === 'idempotency-key-reused' || outcome.kind === 'daily-limit-exceeded')
    reply.header('x-should-retry', 'false')
  return refuse(reply, outcome)
}

function resultOf(accepted: Accepted): SendResult {
  return {
    delivered: [...accepted.delivered],
    permanent_bounces: [...accepted.bounced],
    queued: [...accepted.queued],
    message_id: accepted.messageId,
    suppressed_recipients: [...accepted.suppressed],
  }
}

/** What the Workers binding calls our fields: a sender who mixes them up is told. */
const BINDING_SPELLINGS = {
  replyTo: 'reply_to',
  contentId: 'content_id',
  email: 'address',
  mimeMessage: 'mime_message',
}

function fieldsOf(body: SendRequest): Fields {
  return {
    kind: 'fields',
    from: addressField(body.from, '/from'),
    to: addressFields(body.to, '/to'),
    cc: addressFields(body.cc, '/cc'),
    bcc: addressFields(body.bcc, '/bcc'),
    ...(body.reply_to !== undefined && { replyTo: addressField(body.reply_to, '/reply_to') }),
    subject: body.subject,
    ...(body.text !== undefined && { text: body.text }),
    ...(body.html !== undefined && { html: body.html }),
    attachments: (body.attachments ?? []).map((attachment, index) => ({
      content: attachment.content,
      filename: attachment.filename,
      type: attachment.type,
      disposition: attachment.disposition,
      contentId: attachment.content_id ?? null,
      pointer: `/attachments/${index}`,
    })),
    headers: body.headers ?? {},
  }
}

function rawOf(body: SendRawRequest): Raw {
  return {
    kind: 'raw',
    from: { address: body.from, pointer: '/from' },
    recipients: body.recipients.map((address, index) => ({ address, pointer: `/recipients/${index}` })),
    mime: Buffer.from(body.mime_message, 'utf8'),
    mimePointer: '/mime_message',
  }
}

type AddressBody = string | z.output<typeof addressObject>

function addressField(value: AddressBody, pointer: string): AddressField {
  if (typeof value === 'string') return { address: value, pointer }
  const { address, name = null } = value
  return { address, name, pointer: `${pointer}/address`, namePointer: `${pointer}/name` }
}

function addressFields(
  value: AddressBody | readonly AddressBody[] | undefined,
  pointer: string,
): AddressField[] {
  if (value === undefined) return []
  if (typeof value === 'string' || !('map' in value)) return [addressField(value, pointer)]
  return value.map((item, index) => addressField(item, `${pointer}/${index}`))
}

/** Promise 8. The official SDK sends no key but counts its tries, so the count stands in for one. */
function repeatableOf(request: FastifyRequest, tokenId: string): Repeatable | undefined | 'malformed' {
  const key = request.headers['idempotency-key']
  const count = request.headers['x-stainless-retry-count']
  if (key === undefined && count === undefined) return undefined
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const bodyHash = hash('sha256', Buffer.concat([Buffer.from(`${request.routeOptions.url}\n`), body]))
  if (key !== undefined) {
    if (typeof key !== 'string' || !/^[\x20-\x7e]{1,255}$/.test(key)) return 'malformed'
    return { kind: 'keyed', key: `key:${key}`, bodyHash }
  }
  const kind = /^[1-9]/.test(String(count)) ? 'repeated' : 'first'
  return { kind, key: `try:${tokenId}:${bodyHash}`, bodyHash }
}
