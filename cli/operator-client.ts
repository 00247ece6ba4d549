import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { devJson } from '#contract/dev-json.ts'
import type { Envelope } from '#contract/envelope.ts'
import type { CursorInfo } from '#contract/suppressions.ts'
import { CommandFailed, EXIT } from './exit-codes.ts'

/** Where the operator's API is, and what opens it, as the command line says. */
export interface Connection {
  /** Of the server, such as http://localhost:8025; by default from dev.json in the data folder. */
  readonly url?: string
  /** By default `operator-token` in the data folder. */
  readonly tokenFile?: string
  readonly data?: string
}

/** A client of `/operator/v1`. What fails throws CommandFailed. */
export interface OperatorClient {
  call<R>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<R>
  page<R>(path: string): Promise<ResultPage<R>>
}

export interface ResultPage<R> {
  readonly result: R
  /** Of the next page; null at the end. */
  readonly cursor: string | null
}

interface Answer<R> extends Envelope<R> {
  readonly result_info?: CursorInfo
}

/** By status; every other refusal is one. */
const ENDS: Readonly<Record<number, number>> = { 401: EXIT.unavailable, 404: EXIT.nothing }

/** An action on many deliveries takes a while, and a server that does not answer does not take for ever. */
const PATIENCE_MS = 300_000

export async function openOperatorClient(given: Connection): Promise<OperatorClient> {
  const data = resolve(given.data ?? (process.env['POSTHORN_DATA'] || './.posthorn'))
  const base = `${(given.url ?? (await urlOf(data))).replace(/\/+$/, '')}/operator/v1`
  const token = await tokenOf(given, data)

  async function ask<R>(method: string, path: string, body?: object): Promise<Answer<R> & { result: R }> {
    const response = await fetch(`${base}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      signal: AbortSignal.timeout(PATIENCE_MS),
      ...(body && { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw new CommandFailed(`no answer from ${base}: ${reasonOf(error)}`, EXIT.unavailable)
    })
    const answer = await read<R>(response, base)
    const { result } = answer
    if (response.ok && result !== null) return { ...answer, result }
    const [error] = answer.errors
    const detail = error?.error_chain?.[0]?.message ?? error?.message ?? `status ${response.status}`
    throw new CommandFailed(detail, ENDS[response.status] ?? EXIT.refused)
  }

  return {
    call: async <R>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) =>
      (await ask<R>(method, path, body)).result,
    async page<R>(path: string) {
      const { result, result_info: info } = await ask<R>('GET', path)
      return { result, cursor: info?.cursor ?? null }
    },
  }
}

async function urlOf(data: string): Promise<string> {
  const path = join(data, 'dev.json')
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new CommandFailed(
      `no instance found: ${path} cannot be read (${reasonOf(error)}). Start one, or say where it is by --url or --data`,
      EXIT.unavailable,
    )
  })
  return devJson.parse(JSON.parse(text)).dashboard
}

async function tokenOf({ tokenFile }: Connection, data: string): Promise<string> {
  const path = tokenFile ?? (process.env['POSTHORN_OPERATOR_TOKEN_FILE'] || join(data, 'operator-token'))
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new CommandFailed(
      `the operator token ${path} cannot be read (${reasonOf(error)}); name its file by --token-file`,
      EXIT.unavailable,
    )
  })
  return text.trim()
}

async function read<R>(response: Response, base: string): Promise<Answer<R>> {
  try {
    // The contract says what each route answers.
    return (await response.json()) as Answer<R>
  } catch {
    throw new CommandFailed(
      `${base} answered ${response.status} with something else than JSON`,
      EXIT.unavailable,
    )
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause: unknown = error.cause instanceof Error ? error.cause : error
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code
  return cause instanceof Error ? cause.message : error.message
}
