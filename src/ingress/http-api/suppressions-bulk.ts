import type { FastifyReply, FastifyRequest } from 'fastify'
import { type BulkItem, type BulkResult, bulkSuppressions } from '#contract/suppressions.ts'
import { addWishes, type Verdict } from '#registry/suppressions/run-import.ts'
import { refuse, succeed } from './answer.ts'
import { actorOf } from './authenticate.ts'
import type { HttpWorld } from './http-world.ts'
import { overloaded } from './overloaded.ts'
import { readJson } from './read-json.ts'
import { uuidOf } from './suppressions-answers.ts'
import { noteImport } from './suppressions-audit.ts'
import { principalOf } from './suppressions-door.ts'
import { wishFields } from './suppressions-fields.ts'

/** A thousand entries, each with a note of a thousand characters in escapes. */
export const LARGEST_BULK = 8 * 1_048_576

/** `POST …/suppressions/bulk`. A request that asks for too much or makes no sense as a whole adds nothing; of any other
 *  each entry has its own outcome. */
export async function bulkRoute(
  request: FastifyRequest,
  reply: FastifyReply,
  world: HttpWorld,
): Promise<FastifyReply> {
  const { accountId } = principalOf(request)
  const body = readJson(request.body, bulkSuppressions, {})
  if (!body.ok) return refuse(reply, body.refusal)
  const retryAfter = await world.suppressions.spend(accountId, 'bulk')
  if (retryAfter !== undefined) return bulkLimitReached(reply, retryAfter)
  const { items } = body.value
  const { suppressions, now } = world
  const record = noteImport(actorOf(request), accountId)
  const importing = { suppressions, accountId, now: now(), seen: new Set<string>(), record }
  const verdicts = await addWishes(importing, items.map(wishFields))
  const count = (status: Verdict['status']) => verdicts.filter((verdict) => verdict.status === status).length
  const result: BulkResult = {
    total: items.length,
    processed: count('processed'),
    deduplicated: count('duplicate'),
    errors: 0,
    invalid: count('invalid'),
    skipped: count('skipped'),
    items: verdicts.flatMap((verdict, index) => itemOf(verdict, index, items[index]?.email ?? '')),
  }
  return succeed(reply, result)
}

export function bulkLimitReached(reply: FastifyReply, seconds: number): FastifyReply {
  return overloaded(
    reply,
    'An account may bring entries in bulk 10 times a minute; wait for the next.',
    seconds,
  )
}

function itemOf(verdict: Verdict, index: number, email: string): readonly BulkItem[] {
  switch (verdict.status) {
    case 'duplicate':
      return []
    case 'invalid':
      return [{ index, status: 'invalid', email, error: verdict.fault }]
    case 'skipped':
    case 'processed': {
      const scope = verdict.wish.scope ?? { type: 'account' }
      if (verdict.status === 'processed') {
        return [{ index, status: 'processed', id: uuidOf(verdict.id), email, scope }]
      }
      return [{ index, status: 'skipped', email, error: verdict.fault, scope }]
    }
  }
}
