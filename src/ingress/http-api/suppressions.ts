import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { createSuppression, editSuppression, type SuppressionReference } from '#contract/suppressions.ts'
import { isFault, readExpiry, readNote, readWish } from '#registry/suppressions/read-wish.ts'
import type { Suppression } from '#registry/suppressions/suppressions.ts'
import { refuse, succeed } from './answer.ts'
import { actorOf } from './authenticate.ts'
import { openBodyBudget } from './body-budget.ts'
import { openExportPlaces } from './export-places.ts'
import type { HttpWorld } from './http-world.ts'
import { readJson } from './read-json.ts'
import {
  READ_ONLY,
  readUuid,
  refuseChange,
  refuseSuppression,
  suppressionDetail,
  uuidOf,
} from './suppressions-answers.ts'
import { noteSuppressions } from './suppressions-audit.ts'
import { bulkRoute, LARGEST_BULK } from './suppressions-bulk.ts'
import { deliverabilityRoute } from './suppressions-deliverability.ts'
import { admitToSuppressions, principalOf, reserveBody } from './suppressions-door.ts'
import { exportRoute } from './suppressions-export.ts'
import { wishFields } from './suppressions-fields.ts'
import { LARGEST_FILE, openImportRoute } from './suppressions-import.ts'
import { listRoute } from './suppressions-list.ts'

type Route = (request: FastifyRequest, reply: FastifyReply, world: HttpWorld) => Promise<FastifyReply>

/** Of small requests: an entry, with its note in escapes. */
const SMALL_BODY = 65_536

/** Who is not mailed: `/accounts/{account_id}/email/sending/suppressions` and what is below it (newer-facts.md,
 *  clients.md), and the question what would become of a message. */
export function suppressionRoutes(api: FastifyInstance, world: HttpWorld): void {
  const bulks = openBodyBudget(8 * LARGEST_BULK)
  const files = openBodyBudget(4 * LARGEST_FILE)
  const places = openExportPlaces()
  const handler = (route: Route) => (request: FastifyRequest, reply: FastifyReply) =>
    route(request, reply, world)

  api.register(async (routes) => {
    routes.addHook('onRequest', (request, reply) => admitToSuppressions(request, reply, world))
    const base = '/accounts/:accountId/email/sending/suppressions'
    const small = { bodyLimit: SMALL_BODY }
    routes.get(base, handler(listRoute))
    routes.post(base, small, handler(createRoute))
    routes.post(`${base}/bulk`, {
      bodyLimit: LARGEST_BULK,
      onRequest: async (request, reply) =>
        reserveBody(request, reply, { bodies: bulks, limit: LARGEST_BULK }),
      handler: handler(bulkRoute),
    })
    routes.post(`${base}/import`, {
      bodyLimit: LARGEST_FILE,
      onRequest: async (request, reply) =>
        reserveBody(request, reply, { bodies: files, limit: LARGEST_FILE }),
      handler: openImportRoute(world),
    })
    routes.get(`${base}/export`, {
      exposeHeadRoute: false,
      handler: (request, reply) => exportRoute(request, reply, world, places),
    })
    routes.get(`${base}/:id`, handler(getRoute))
    routes.patch(`${base}/:id`, small, handler(editRoute))
    routes.delete(`${base}/:id`, small, handler(deleteRoute))
    routes.get('/accounts/:accountId/email/sending/deliverability', handler(deliverabilityRoute))
  })
}

/** Adding what is there already answers with its own id, unchanged. */
async function createRoute(
  request: FastifyRequest,
  reply: FastifyReply,
  { suppressions, now }: HttpWorld,
): Promise<FastifyReply> {
  const { accountId } = principalOf(request)
  const body = readJson(request.body, createSuppression, {})
  if (!body.ok) return refuse(reply, body.refusal)
  const wish = readWish(wishFields(body.value), now())
  if (isFault(wish)) return refuse(reply, { kind: 'field-invalid', ...wish })
  const record = noteSuppressions(actorOf(request), accountId)
  const { kind, suppression } = await suppressions.addManual(accountId, wish, record)
  if (kind === 'read-only') return refuseSuppression(reply, 'read-only', READ_ONLY)
  return succeed(reply, referenceTo(suppression))
}

const params = z.object({ id: z.string() })

async function getRoute(
  request: FastifyRequest,
  reply: FastifyReply,
  { suppressions }: HttpWorld,
): Promise<FastifyReply> {
  const { accountId } = principalOf(request)
  const id = readUuid(params.parse(request.params).id)
  const entry = id === undefined ? undefined : await suppressions.suppression(accountId, id)
  return entry ? succeed(reply, suppressionDetail(entry)) : refuseChange(reply, 'unknown')
}

/** Absent fields stay; null takes the expiry away, an empty note the note. */
async function editRoute(
  request: FastifyRequest,
  reply: FastifyReply,
  { suppressions, now }: HttpWorld,
): Promise<FastifyReply> {
  const { accountId, tokenId } = principalOf(request)
  const body = readJson(request.body, editSuppression, {})
  if (!body.ok) return refuse(reply, body.refusal)
  const { expires_at: expiry, note: noteText, scope } = body.value
  if (scope !== undefined) {
    const detail = 'The scope of a suppression cannot be changed: delete it and create another.'
    return refuseSuppression(reply, 'scope-immutable', detail, '/scope')
  }
  const expiresAt = expiry === undefined ? undefined : readExpiry(expiry, now())
  if (isFault(expiresAt)) return refuse(reply, { kind: 'field-invalid', ...expiresAt })
  const note = noteText === undefined ? undefined : readNote(noteText)
  if (isFault(note)) return refuse(reply, { kind: 'field-invalid', ...note })
  const id = readUuid(params.parse(request.params).id)
  if (id === undefined) return refuseChange(reply, 'unknown')
  const changed = await suppressions.change(accountId, id, {
    by: { tokenId, record: noteSuppressions(actorOf(request), accountId) },
    ...(expiresAt !== undefined && { expiresAt }),
    ...(note !== undefined && { note }),
  })
  return typeof changed === 'string'
    ? refuseChange(reply, changed)
    : succeed(reply, suppressionDetail(changed))
}

async function deleteRoute(
  request: FastifyRequest,
  reply: FastifyReply,
  { suppressions }: HttpWorld,
): Promise<FastifyReply> {
  const { accountId, tokenId } = principalOf(request)
  const id = readUuid(params.parse(request.params).id)
  const entry = id === undefined ? undefined : await suppressions.suppression(accountId, id)
  if (!entry) return refuseChange(reply, 'unknown')
  const record = noteSuppressions(actorOf(request), accountId)
  const removed = await suppressions.remove(accountId, entry.id, { tokenId, record })
  return removed === 'removed' ? succeed(reply, referenceTo(entry)) : refuseChange(reply, removed)
}

function referenceTo({ id, scope }: Suppression): SuppressionReference {
  return { id: uuidOf(id), scope }
}
