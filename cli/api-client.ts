import { readFile } from 'node:fs/promises'
import { listAccounts } from '#contract/accounts.ts'
import type { Operation } from '#contract/operation.ts'
import { askServer, reasonOf, type Server } from './ask-server.ts'
import { CommandFailed, EXIT } from './exit-codes.ts'
import { dataFolder, readDevJson } from './read-dev-json.ts'

/** Where the API is, what opens it and in which account, as the command line says. */
export interface ApiConnection {
  readonly url?: string
  readonly tokenFile?: string
  readonly data?: string
  /** By id or name. */
  readonly account?: string
}

export interface ApiRequest {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly body?: object
}

/** A client of `/client/v4`, by the contract's own operations. What fails throws CommandFailed. */
export interface ApiClient {
  ask<Query, Body, Result>(operation: Operation<Query, Body, Result>, request?: ApiRequest): Promise<Result>
  /** All pages of a list. */
  all<Query, Body, Entry>(operation: Operation<Query, Body, Entry[]>, request?: ApiRequest): Promise<Entry[]>
  /** The id of the account that the command line names; undefined where it names none. */
  namedAccount(): Promise<string | undefined>
  /** The same, or the only one in which the token acts. */
  account(): Promise<string>
}

interface Opened extends Server {
  /** The account of an instance that was found by its dev.json. */
  readonly accountId?: string
}

const PER_PAGE = 1000

export async function openApiClient(given: ApiConnection): Promise<ApiClient> {
  const server = await openServer(given)

  async function page<Result>(
    operation: Operation<unknown, unknown, Result>,
    { params = {}, query = {}, body }: ApiRequest,
  ) {
    const path = operation.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(params[name] ?? ''),
    )
    const asked = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) if (value !== undefined) asked.set(name, value)
    const search = asked.size > 0 ? `?${asked.toString()}` : ''
    const answer = await askServer(server, { method: operation.method, path: `${path}${search}`, body })
    const result = operation.result.safeParse(answer.result)
    if (result.success) return { result: result.data, info: answer.info }
    const at = result.error.issues[0]?.path.join('.')
    throw new CommandFailed(
      `${server.base} answered ${operation.id} in a shape that this version does not know (${at}); use the command of the server's own version`,
      EXIT.unavailable,
    )
  }

  const client: ApiClient = {
    ask: async (operation, request = {}) => (await page(operation, request)).result,
    async all(operation, request = {}) {
      const found = []
      for (let number = 1; ; number++) {
        const query = { ...request.query, page: String(number), per_page: String(PER_PAGE) }
        const { result, info } = await page(operation, { ...request, query })
        found.push(...result)
        if (result.length === 0 || number >= (info?.total_pages ?? 1)) return found
      }
    },
    async namedAccount() {
      const { account } = given
      if (account === undefined || /^[0-9a-f]{32}$/i.test(account)) return account?.toLowerCase()
      const all = await client.all(listAccounts)
      const named = all.filter(({ name }) => name.toLowerCase() === account.toLowerCase())
      return oneOf(named, `no account "${account}" that this token acts in`, EXIT.nothing)
    },
    async account() {
      const named = (await client.namedAccount()) ?? server.accountId
      return named ?? oneOf(await client.all(listAccounts), 'this token acts in no account', EXIT.refused)
    },
  }
  return client
}

function oneOf(
  accounts: readonly { readonly id: string; readonly name: string }[],
  none: string,
  exitCode: number,
): string {
  const [first, second] = accounts
  if (!first) throw new CommandFailed(none, exitCode)
  if (!second) return first.id
  const lines = accounts.map(({ id, name }) => `\n  ${id}  ${name}`)
  throw new CommandFailed(`say by --account in which account:${lines.join('')}`, EXIT.usage)
}

/** What the command line names goes before the environment, and that before an instance's dev.json. The token of a
 *  dev.json goes to the instance that wrote it alone. */
async function openServer({ url, tokenFile, data }: ApiConnection): Promise<Opened> {
  const environment = (name: string) => (data === undefined && process.env[name]) || undefined
  const elsewhere = url ?? environment('POSTHORN_API')
  const token = tokenFile === undefined ? environment('POSTHORN_API_TOKEN') : await readToken(tokenFile)
  if (elsewhere !== undefined) {
    const base = apiOf(elsewhere)
    if (token !== undefined) return { base, token }
    const detail = `no API token for ${base}: put it into POSTHORN_API_TOKEN, or name its file by --token-file`
    throw new CommandFailed(detail, EXIT.unavailable)
  }
  const dev = await readDevJson(dataFolder(data), 'say where it is by POSTHORN_API, --url or --data')
  return token === undefined
    ? { base: dev.api, token: dev.api_token, accountId: dev.account_id }
    : { base: dev.api, token }
}

function apiOf(text: string): string {
  const url = URL.parse(text)
  if (url && /^https?:$/.test(url.protocol) && url.username === '')
    return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/client\/v4$/, '')}/client/v4`
  throw new CommandFailed(
    `${JSON.stringify(text)} is no address of a server; it looks like https://mail.example.com`,
    EXIT.usage,
  )
}

async function readToken(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new CommandFailed(`the token file ${path} cannot be read (${reasonOf(error)})`, EXIT.unavailable)
  })
  return text.trim()
}
