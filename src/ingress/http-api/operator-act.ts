import type { FastifyReply, FastifyRequest } from 'fastify'
import { type ActResult, actRequest, type QueueAction } from '#contract/operator.ts'
import { ACTS_ON } from '#outbound/queue/operator-hands.ts'
import { refuse, succeed } from './answer.ts'
import { readSelection } from './operator-selection.ts'
import type { OperatorWorld } from './operator-world.ts'
import { readJson } from './read-json.ts'

/** Some seconds' work; `more` says that there is more. */
const USUAL_LIMIT = 10_000

/** `POST /deliveries/{hold|release|retry|cancel|expire}`. */
export async function actRoute(
  request: FastifyRequest,
  reply: FastifyReply,
  world: OperatorWorld,
  action: QueueAction,
): Promise<FastifyReply> {
  const body = readJson(request.body, actRequest, { recipient_domain: 'domain', id: 'ids' })
  if (!body.ok) return refuse(reply, body.refusal)
  const { all, dry_run: dryRun = false, limit = USUAL_LIMIT, ...fields } = body.value
  if (all !== true && Object.values(fields).every((value) => value === undefined)) {
    const detail =
      'Say which deliveries (ids, account_id, domain, destination, state, older_than), or "all": true.'
    return refuse(reply, { kind: 'field-missing', detail, pointer: '' })
  }
  const selection = await readSelection(fields, world)
  if ('detail' in selection) return refuse(reply, { kind: 'field-invalid', ...selection })
  const selected = await world.hands.count(selection)
  const would = ACTS_ON[action].reduce((sum, state) => sum + selected[state], 0)
  const moved = dryRun ? { changed: would, more: false } : await world.hands.act(action, selection, limit)
  const result: ActResult = { action, dry_run: dryRun, selected, ...moved }
  return succeed(reply, result)
}
