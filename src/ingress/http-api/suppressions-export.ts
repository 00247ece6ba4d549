import type { FastifyReply, FastifyRequest } from 'fastify'
import { CSV_HEADER, csvLine } from '#registry/suppressions/export-suppressions.ts'
import type { ListFilter, Position } from '#registry/suppressions/list-suppressions.ts'
import type { Suppression } from '#registry/suppressions/suppressions.ts'
import { turnAway } from './answer.ts'
import type { ExportPlaces } from './export-places.ts'
import { exportStream } from './export-stream.ts'
import type { HttpWorld } from './http-world.ts'
import { overloaded } from './overloaded.ts'
import { readQuery } from './read-query.ts'
import { suppressionDetail } from './suppressions-answers.ts'
import { principalOf } from './suppressions-door.ts'
import { filterOf } from './suppressions-list.ts'

const PAGE = 1000

/** `GET …/suppressions/export?format=csv|json`, with the filters of the list. Ours. One page at a time is in memory, and
 *  the next is read when the client has taken the one before; an export that breaks off ends its connection, so that it
 *  does not look whole. */
export async function exportRoute(
  request: FastifyRequest,
  reply: FastifyReply,
  world: HttpWorld,
  places: ExportPlaces,
): Promise<FastifyReply> {
  const { accountId } = principalOf(request)
  const values = readQuery(request.query)
  if ('twice' in values) {
    return turnAway(reply, 'invalidSchema', `The parameter '${values.twice}' must stand once.`)
  }
  const format = values.get('format') ?? 'csv'
  if (format !== 'csv' && format !== 'json')
    return turnAway(reply, 'invalidSchema', 'format must be csv or json.')
  const filter = filterOf(values)
  if ('detail' in filter) return turnAway(reply, 'invalidSchema', filter.detail)
  const giveBack = places.take(accountId)
  if (typeof giveBack !== 'function') return overloaded(reply, giveBack.detail)
  const pages = pagesOf(world, accountId, filter)
  reply
    .code(200)
    .type(format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/json; charset=utf-8')
    .header('content-disposition', `attachment; filename="suppressions.${format}"`)
    .header('cache-control', 'no-store')
  const content = exportStream(format === 'csv' ? csvText(pages) : jsonText(pages))
  return reply.send(content.once('close', giveBack))
}

async function* pagesOf(
  { suppressions, log }: HttpWorld,
  accountId: string,
  filter: ListFilter,
): AsyncGenerator<readonly Suppression[]> {
  let after: Position | undefined
  try {
    do {
      const page = await suppressions.list(accountId, { filter, limit: PAGE, after })
      yield page.entries
      after = page.next
    } while (after)
  } catch (error) {
    log.error({ err: error }, 'http: an export of suppressions broke off')
    throw error
  }
}

async function* csvText(pages: AsyncIterable<readonly Suppression[]>): AsyncGenerator<string> {
  yield CSV_HEADER
  for await (const entries of pages) yield entries.map(csvLine).join('')
}

/** An array, one entry on each line. */
async function* jsonText(pages: AsyncIterable<readonly Suppression[]>): AsyncGenerator<string> {
  let separator = '[\n'
  for await (const entries of pages) {
    if (entries.length === 0) continue
    yield separator + entries.map((entry) => JSON.stringify(suppressionDetail(entry))).join(',\n')
    separator = ',\n'
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n'
}
