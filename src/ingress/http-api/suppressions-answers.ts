import type { FastifyReply } from 'fastify'
import type { Envelope } from '#contract/envelope.ts'
import type { SuppressionBody, SuppressionDetail } from '#contract/suppressions.ts'
import type { NotChanged } from '#registry/suppressions/change-suppression.ts'
import { isoTime } from '#registry/suppressions/read-wish.ts'
import type { Suppression } from '#registry/suppressions/suppressions.ts'
import { turnAway } from './answer.ts'

/** An entry as the API has it, its id as a UUID. */
export function suppressionBody(entry: Suppression): SuppressionBody {
  const { email, reason, scope, readOnly, createdAt, expiresAt } = entry
  return {
    id: uuidOf(entry.id),
    email,
    reason,
    created_at: isoTime(createdAt),
    expires_at: expiresAt === null ? null : isoTime(expiresAt),
    read_only: readOnly,
    scope,
  }
}

export function suppressionDetail(entry: Suppression): SuppressionDetail {
  return { ...suppressionBody(entry), note: entry.note }
}

/** RFC 9562 §4: the usual text form, which clients declare for these ids. */
export function uuidOf(id: string): string {
  return id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** With or without its hyphens; undefined for what no entry can have. */
export function readUuid(text: string): string | undefined {
  const id = text.toLowerCase().replaceAll('-', '')
  return /^[0-9a-f]{32}$/.test(id) ? id : undefined
}

/** The original names neither numbers nor texts for these: its clients choose by the status, people by the name. */
const REFUSALS = {
  'read-only': [403, 10206, 'email.sending.error.suppression.read_only', 'read_only'],
  'scope-immutable': [400, 10207, 'email.sending.error.suppression.scope_immutable', 'scope_immutable'],
  'limit-reached': [429, 10004, 'email.sending.error.throttled', 'complaint_removal_limit'],
} as const satisfies Record<string, readonly [number, number, string, string]>

export function refuseSuppression(
  reply: FastifyReply,
  reason: keyof typeof REFUSALS,
  detail: string,
  pointer?: string,
): FastifyReply {
  const [status, code, message, name] = REFUSALS[reason]
  const error = { code, message, error_chain: [{ code, message: detail, name }] }
  const envelope: Envelope<never> = {
    success: false,
    errors: [pointer === undefined ? error : { ...error, source: { pointer } }],
    messages: [],
    result: null,
  }
  return reply.code(status).send(envelope)
}

export function refuseChange(reply: FastifyReply, reason: NotChanged): FastifyReply {
  switch (reason) {
    case 'unknown':
      return turnAway(reply, 'notFound', 'There is no such active suppression in this account.')
    case 'read-only':
      return refuseSuppression(reply, reason, READ_ONLY)
    case 'limit-reached': {
      // A client that waits for tomorrow waits too long.
      reply.header('x-should-retry', 'false')
      const detail =
        'Ten complaint suppressions may be deleted or shortened a day (UTC), and that many were. A recipient who complained needs to give new consent first.'
      return refuseSuppression(reply, reason, detail)
    }
  }
}

export const READ_ONLY = 'This suppression is the operator’s: it may be neither changed nor replaced.'
