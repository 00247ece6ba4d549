import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import {
  type PutSmarthost,
  putSmarthost,
  type SmarthostBody,
  type SmarthostScopeBody,
  type SmarthostTestBody,
} from '#contract/smarthost.ts'
import type { Refusal } from '#model/refusal.ts'
import type { Smarthost, SmarthostSetting, SmarthostTrial } from '#model/smarthost.ts'
import type { Log } from '#observe/log.ts'
import type { Accounts, Permission } from '#registry/accounts/accounts.ts'
import { type AuditActor, auditWrite } from '#registry/accounts/audit.ts'
import type {
  NamedScope,
  RecordSmarthost,
  SmarthostFacts,
  Smarthosts,
  StoredSmarthost,
} from '#registry/domains/smarthosts.ts'
import { refuse, succeed, turnAway } from './answer.ts'
import { actorOf, authenticate } from './authenticate.ts'
import { readJson } from './read-json.ts'

/** What the routes of the smarthost work with. */
export interface SmarthostWorld {
  readonly accounts: Accounts
  readonly log: Log
  readonly smarthosts: Smarthosts
  /** Connects as delivery would, logs in and says QUIT. */
  readonly trySmarthost: (smarthost: Smarthost) => Promise<SmarthostTrial>
}

const SMALL_BODY = 65_536
/** A test holds a connection for half a minute at most. */
const MOST_TESTS = 16
const PORTS = { implicit: 465, starttls: 587, none: 25 } as const satisfies Record<Smarthost['tls'], number>

/** `GET`, `PUT`, `DELETE /accounts/{account_id}/email/sending/smarthost` and `POST …/smarthost/test`: of the account, or
 *  with `?domain=` of one of its domains. The installation's own is configuration and not to be seen here. */
export function smarthostRoutes(api: FastifyInstance, world: SmarthostWorld): void {
  const path = '/accounts/:accountId/email/sending/smarthost'
  const testing = new Set<string>()
  api.get(path, (request, reply) =>
    inScope(request, reply, { world, permission: 'Email Sending:Read' }, show),
  )
  const edit = { world, permission: 'Email Sending:Edit' } as const
  api.put(path, { bodyLimit: SMALL_BODY }, (request, reply) => inScope(request, reply, edit, put))
  api.delete(path, { bodyLimit: SMALL_BODY }, (request, reply) => inScope(request, reply, edit, remove))
  api.post(`${path}/test`, { bodyLimit: SMALL_BODY }, (request, reply) =>
    inScope(request, reply, edit, (asked) => runTest(asked, testing)),
  )
}

interface Asked {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly smarthosts: Smarthosts
  readonly trySmarthost: SmarthostWorld['trySmarthost']
  readonly scope: NamedScope
}

const params = z.object({ accountId: z.string() })
const query = z.strictObject({ domain: z.string().optional() })

/** Who asks, and about which scope? */
async function inScope(
  request: FastifyRequest,
  reply: FastifyReply,
  { world, permission }: { readonly world: SmarthostWorld; readonly permission: Permission },
  route: (asked: Asked) => Promise<FastifyReply>,
): Promise<FastifyReply> {
  const { accounts, log, smarthosts, trySmarthost } = world
  const { accountId } = params.parse(request.params)
  const by = await authenticate(request, reply, { accounts, log, accountId, permission })
  if (!by) return reply
  const asked = query.safeParse(request.query)
  if (!asked.success)
    return turnAway(reply, 'invalidSchema', 'The query takes "domain" alone, and once: the name of a domain.')
  const scope = await smarthosts.scope(by.accountId, asked.data.domain)
  if (!scope) return noSuchDomain(reply)
  return route({ request, reply, smarthosts, trySmarthost, scope })
}

async function show({ reply, smarthosts, scope }: Asked): Promise<FastifyReply> {
  const stored = await smarthosts.get(scope)
  return stored ? succeed(reply, bodyOf(stored, scope)) : noneSet(reply, scope)
}

async function put({ request, reply, smarthosts, scope }: Asked): Promise<FastifyReply> {
  const body = readJson(request.body, putSmarthost, {})
  if (!body.ok) return refuse(reply, body.refusal)
  const setting = settingOf(body.value)
  if ('kind' in setting) return refuse(reply, setting)
  const stored = await smarthosts.set(scope, setting, noteSmarthost(actorOf(request), scope))
  if (stored === 'no-such-domain') return noSuchDomain(reply)
  if ('field' in stored)
    return refuse(reply, { kind: 'field-invalid', pointer: `/${stored.field}`, detail: stored.detail })
  return succeed(reply, bodyOf(stored, scope))
}

async function remove({ request, reply, smarthosts, scope }: Asked): Promise<FastifyReply> {
  const removed = await smarthosts.remove(scope, noteSmarthost(actorOf(request), scope))
  return removed ? succeed(reply, { scope: scopeBody(scope) }) : noneSet(reply, scope)
}

/** Its line in the audit log: all mail of the scope goes where it says. */
function noteSmarthost(actor: AuditActor, scope: NamedScope): RecordSmarthost {
  const { accountId, domainId } = scope
  const shown = (facts: SmarthostFacts | undefined) => facts && { scope: scopeBody(scope), ...facts }
  return ({ before, after, at }) => [
    auditWrite({
      ...{ accountId, actor, at, action: after ? 'smarthost.set' : 'smarthost.remove' },
      resource: { type: 'smarthost', id: domainId ?? accountId },
      ...{ before: shown(before), after: shown(after) },
    }),
  ]
}

/** One at a time for each account: it makes us connect to a host that a customer chose. */
async function runTest(
  { reply, smarthosts, trySmarthost, scope }: Asked,
  testing: Set<string>,
): Promise<FastifyReply> {
  const stored = await smarthosts.get(scope)
  if (!stored) return noneSet(reply, scope)
  if (testing.has(scope.accountId) || testing.size >= MOST_TESTS) {
    reply.header('retry-after', '5')
    return turnAway(reply, 'overloaded', 'Another test is under way; try again in some seconds.')
  }
  testing.add(scope.accountId)
  try {
    return succeed(reply, testBodyOf(await trySmarthost(stored)))
  } finally {
    testing.delete(scope.accountId)
  }
}

function settingOf({
  host,
  tls,
  port = PORTS[tls],
  username,
  password,
}: PutSmarthost): SmarthostSetting | Refusal {
  if (username == null && password == null) return { host, port, tls }
  if (username == null || password == null) {
    const missing = username == null ? 'username' : 'password'
    const detail = `'${missing}' is missing: a login has both, and a password that was set before does not stay.`
    return { kind: 'field-missing', pointer: `/${missing}`, detail }
  }
  return { host, port, tls, login: { username, password } }
}

function bodyOf(stored: StoredSmarthost, scope: NamedScope): SmarthostBody {
  const { host, port, tls, login, createdAt, modifiedAt } = stored
  return {
    scope: scopeBody(scope),
    host,
    port,
    tls,
    username: login?.username ?? null,
    created_at: new Date(createdAt).toISOString(),
    modified_at: new Date(modifiedAt).toISOString(),
  }
}

function scopeBody({ domainName }: NamedScope): SmarthostScopeBody {
  return domainName === null ? { type: 'account' } : { type: 'sending_domain', value: domainName }
}

function testBodyOf(trial: SmarthostTrial): SmarthostTestBody {
  const { outcome, detail, address = null, tls = null, dialogue, durationMs } = trial
  return { works: outcome === 'ready', outcome, detail, address, tls, duration_ms: durationMs, dialogue }
}

function noSuchDomain(reply: FastifyReply): FastifyReply {
  return turnAway(reply, 'notFound', 'There is no such domain in this account.')
}

function noneSet(reply: FastifyReply, { domainName }: NamedScope): FastifyReply {
  const whom = domainName ?? 'this account'
  return turnAway(reply, 'notFound', `No smarthost is set for ${whom}.`)
}
