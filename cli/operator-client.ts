import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { askServer, reasonOf } from './ask-server.ts'
import { CommandFailed, EXIT } from './exit-codes.ts'
import { dataFolder, readDevJson } from './read-dev-json.ts'

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

export async function openOperatorClient(given: Connection): Promise<OperatorClient> {
  const data = dataFolder(given.data)
  const url = given.url ?? (await readDevJson(data, 'say where it is by --url or --data')).dashboard
  const base = `${url.replace(/\/+$/, '')}/operator/v1`
  const token = await tokenOf(given, data)

  async function ask<R>(method: string, path: string, body?: object): Promise<ResultPage<R>> {
    const { result, info } = await askServer({ base, token }, { method, path, body })
    // The contract says what each route answers.
    return { result: result as R, cursor: info?.cursor ?? null }
  }

  return {
    call: async <R>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object) =>
      (await ask<R>(method, path, body)).result,
    page: <R>(path: string) => ask<R>('GET', path),
  }
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
