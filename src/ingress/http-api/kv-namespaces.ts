import type { FastifyInstance } from 'fastify'
import {
  createKvNamespace,
  deleteKvNamespace,
  getKvNamespace,
  type KvNamespaceBody,
  listKvKeys,
  listKvNamespaces,
  renameKvNamespace,
} from '#contract/kv.ts'
import { pageInfo } from '#contract/paging.ts'
import { type AuditActor, auditWrite } from '#registry/accounts/audit.ts'
import type { KvListed } from '#workers/storage/kv.ts'
import {
  type KvNamespace,
  NAMESPACES_PER_ACCOUNT,
  type RecordNamespace,
} from '#workers/storage/kv-namespaces.ts'
import { INVALID, type KvWorld, NO_NAMESPACE, placeOf } from './kv-world.ts'
import { type Call, type Fault, serveOperation } from './serve-operation.ts'

/** `/accounts/{account_id}/storage/kv/namespaces`, apart from the values. */
export function kvNamespaceRoutes(api: FastifyInstance, world: KvWorld): void {
  const { kv } = world

  serveOperation(api, { operation: listKvNamespaces, world }, async ({ accountId, query }) => {
    const { page, per_page: limit, order, direction } = query
    const asked = { order, direction, limit, offset: (page - 1) * limit }
    const { namespaces, total } = await kv.listNamespaces(accountId, asked)
    return { result: namespaces.map(namespaceBody), info: pageInfo(query, namespaces.length, total) }
  })

  serveOperation(api, { operation: createKvNamespace, world }, async (call) => {
    const { title } = call.body
    const made = await kv.createNamespace(call.accountId, title, recordBy(call, 'create', world))
    if (made === 'title-taken') return titleTaken(title)
    if (made === 'too-many') {
      const detail = `The account has ${NAMESPACES_PER_ACCOUNT} KV namespaces, which is the most that it can have.`
      return { ...INVALID, message: 'Too many namespaces', detail }
    }
    return { result: namespaceBody(made) }
  })

  serveOperation(api, { operation: getKvNamespace, world }, async (call) => {
    const { accountId, namespaceId } = placeOf(call)
    const found = await kv.namespace(accountId, namespaceId)
    return found ? { result: namespaceBody(found) } : NO_NAMESPACE
  })

  serveOperation(api, { operation: renameKvNamespace, world }, async (call) => {
    const wish = { id: placeOf(call).namespaceId, title: call.body.title }
    const renamed = await kv.renameNamespace(call.accountId, wish, recordBy(call, 'update', world))
    if (renamed === 'title-taken') return titleTaken(wish.title)
    return renamed ? { result: namespaceBody(renamed) } : NO_NAMESPACE
  })

  serveOperation(api, { operation: deleteKvNamespace, world }, async (call) => {
    const { accountId, namespaceId } = placeOf(call)
    const removed = await kv.removeNamespace(accountId, namespaceId, recordBy(call, 'delete', world))
    return removed ? { result: {} } : NO_NAMESPACE
  })

  serveOperation(api, { operation: listKvKeys, world }, async (call) => {
    const { prefix, limit, cursor } = call.query
    const page = await kv.list(placeOf(call), { prefix, limit, cursor })
    if (page === 'no-namespace') return NO_NAMESPACE
    if (page === 'bad-cursor') {
      const detail = 'The cursor is not one of this list. Start without a cursor.'
      return { status: 400, code: 1004, message: 'Invalid query', detail, pointer: '?cursor' }
    }
    const next = page.cursor ?? null
    const info = { count: page.keys.length, per_page: limit, cursor: next, next_cursor: next }
    return { result: page.keys.map(keyBody), info }
  })
}

function namespaceBody({ id, title }: KvNamespace): KvNamespaceBody {
  return { id, title, supports_url_encoding: true }
}

function keyBody({ name, metadata, expiresAt }: KvListed) {
  return {
    name,
    ...(expiresAt !== null && { expiration: expiresAt / 1000 }),
    ...(metadata !== null && { metadata: JSON.parse(metadata) as unknown }),
  }
}

function titleTaken(title: string): Fault {
  const message = 'a namespace with this account ID and title already exists'
  const detail = `The account has a KV namespace with the title "${title}" already.`
  return { status: 400, code: 10014, message, detail, pointer: '/title' }
}

function recordBy(
  { accountId, by }: { readonly accountId: string; readonly by: Pick<Call<never, never>['by'], 'audit'> },
  verb: 'create' | 'update' | 'delete',
  { now }: KvWorld,
): RecordNamespace {
  const actor: AuditActor = by.audit
  return ({ before, after }) => [
    auditWrite({
      ...{ accountId, actor, action: `kv_namespace.${verb}`, at: now() },
      resource: { type: 'kv_namespace', id: (after ?? before)?.id ?? '' },
      ...(before && { before: namespaceBody(before) }),
      ...(after && { after: namespaceBody(after) }),
    }),
  ]
}
