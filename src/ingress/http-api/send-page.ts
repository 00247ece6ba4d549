import type { FastifyReply } from 'fastify'
import type { Envelope } from '#contract/envelope.ts'
import type { CursorInfo } from '#contract/paging.ts'
import { encodePageCursor, type PageCursor } from './page-cursor.ts'

/** Answers with a page; `last` is where the next one begins, undefined at the end. */
export function sendPage(
  reply: FastifyReply,
  result: object,
  page: { readonly count: number; readonly limit: number; readonly last: PageCursor | undefined },
): FastifyReply {
  const cursor = page.last ? encodePageCursor(page.last) : null
  const envelope: Envelope<object> & { readonly result_info: CursorInfo } = {
    success: true,
    errors: [],
    messages: [],
    result,
    result_info: { count: page.count, per_page: page.limit, cursor, next_cursor: cursor },
  }
  return reply.code(200).send(envelope)
}
