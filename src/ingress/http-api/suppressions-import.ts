import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ImportResult } from '#contract/suppressions.ts'
import { IMPORT_FORMATS, type ImportFormat, readImport } from '#registry/suppressions/import-suppressions.ts'
import { isFault, readExpiry } from '#registry/suppressions/read-wish.ts'
import { type ImportReport, MOST_ENTRIES, runImport } from '#registry/suppressions/run-import.ts'
import { StoreFull } from '#store/store.ts'
import { succeed, turnAway } from './answer.ts'
import { actorOf } from './authenticate.ts'
import type { HttpWorld } from './http-world.ts'
import { overloaded } from './overloaded.ts'
import { readQuery } from './read-query.ts'
import { noteImport } from './suppressions-audit.ts'
import { bulkLimitReached } from './suppressions-bulk.ts'
import { principalOf } from './suppressions-door.ts'

export const LARGEST_FILE = 5 * 1_048_576

/** An import goes on when its client has gone; that many at a time. */
const MOST_RUNNING = 2

/** `POST …/suppressions/import?format=csv|json|txt`, the file as the body. Ours: of the original only the dashboard
 *  reads files. Counts as one request in bulk. */
export function openImportRoute(
  world: HttpWorld,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  let running = 0
  return async (request, reply) => {
    if (running >= MOST_RUNNING) {
      return overloaded(reply, 'Other imports are running; try again in a few seconds.')
    }
    running += 1
    try {
      return await importFile(request, reply, world)
    } catch (error) {
      if (!(error instanceof StoreFull)) throw error
      reply.header('retry-after', '30')
      const detail = 'The disk is full. Some of the file may have been added; to bring it again does no harm.'
      return turnAway(reply, 'internal', detail)
    } finally {
      running -= 1
    }
  }
}

async function importFile(
  request: FastifyRequest,
  reply: FastifyReply,
  { suppressions, now }: HttpWorld,
): Promise<FastifyReply> {
  const { accountId } = principalOf(request)
  const at = now()
  const asked = readImportQuery(request, at)
  if ('detail' in asked) return turnAway(reply, 'invalidSchema', asked.detail)
  const text = readText(request.body)
  if (text === undefined) {
    return turnAway(reply, 'invalidSchema', 'The body must be the file itself, in UTF-8, and not be empty.')
  }
  const retryAfter = await suppressions.spend(accountId, 'bulk')
  if (retryAfter !== undefined) return bulkLimitReached(reply, retryAfter)
  const lines = readImport(text, asked.format)
  const record = noteImport(actorOf(request), accountId)
  const { expiresAt } = asked
  const report = await runImport(suppressions, accountId, { lines, now: at, expiresAt, record })
  if (report !== 'too-many') return succeed(reply, importResult(report))
  const detail = `The file has more than ${MOST_ENTRIES} entries, so nothing was added. Split it.`
  return turnAway(reply, 'invalidSchema', detail)
}

interface Asked {
  readonly format: ImportFormat
  readonly expiresAt?: string | undefined
}

function readImportQuery(request: FastifyRequest, now: number): Asked | { readonly detail: string } {
  const values = readQuery(request.query)
  if ('twice' in values) return { detail: `The parameter '${values.twice}' must stand once.` }
  const name = values.get('format') ?? formatOfType(request.headers['content-type'])
  const format = IMPORT_FORMATS.find((known) => known === name)
  if (!format) {
    return {
      detail:
        'Say what the file is: ?format=csv, json or txt, or Content-Type text/csv, application/json or text/plain.',
    }
  }
  // What the dashboard asks for beside the file: an expiry of the entries that have none.
  const expiresAt = values.get('expires_at') || undefined
  const expiry = readExpiry(expiresAt ?? null, now)
  return isFault(expiry) ? { detail: expiry.detail } : { format, expiresAt }
}

function formatOfType(type: string | undefined): string | undefined {
  const types: Readonly<Record<string, ImportFormat>> = {
    'text/csv': 'csv',
    'application/json': 'json',
    'text/plain': 'txt',
  }
  const name = type?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
  return Object.hasOwn(types, name) ? types[name] : undefined
}

function readText(body: unknown): string | undefined {
  if (!Buffer.isBuffer(body) || body.length === 0) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    return undefined
  }
}

function importResult(report: ImportReport): ImportResult {
  const { faults, faultsLeftOut, ...counts } = report
  return {
    ...counts,
    errors: 0,
    faults: faults.map(({ line, status, email, detail }) => ({
      line,
      status,
      ...(email !== undefined && { email }),
      error: detail,
    })),
    faults_left_out: faultsLeftOut,
  }
}
