import { timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { CSRF_HEADER } from '#contract/session.ts'
import { csrfTokenOf } from '#registry/accounts/sessions.ts'
import { isSafe } from './guard.ts'

/** Why a request that a session's cookie came with is refused: a browser sends cookies by itself, whoever made it ask.
 *  The guard of the door has looked at Origin and Sec-Fetch-Site where they are; every browser sends one of them. */
export function sessionOrigin({ method, headers }: FastifyRequest): string | undefined {
  if (isSafe(method)) return undefined
  if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined) return undefined
  return 'A request under a session that changes something says where it comes from: send Origin or Sec-Fetch-Site.'
}

/** The same for the token, which only a page of this server could read. */
export function sessionForgery({ method, headers }: FastifyRequest, secret: string): string | undefined {
  if (isSafe(method)) return undefined
  const given = headers[CSRF_HEADER]
  const right = Buffer.from(csrfTokenOf(secret))
  const said = Buffer.from(typeof given === 'string' ? given : '')
  if (said.length === right.length && timingSafeEqual(said, right)) return undefined
  return `Send the session's csrf_token (GET /session/v1) as the header ${CSRF_HEADER}.`
}
