import { type Command, Option } from 'commander'
import { accountTokens, type TokenBody, userTokens } from '#contract/tokens.ts'
import { type ApiClient, type ApiConnection, openApiClient } from './api-client.ts'
import { apiCommand, apiGroup } from './api-command.ts'
import { confirm } from './confirm.ts'
import { CommandFailed, EXIT } from './exit-codes.ts'
import { findZone } from './find-domain.ts'
import { plainPermission } from './plain-permission.ts'
import { readWhen } from './read-when.ts'
import { runAction } from './run-action.ts'
import { ServerRefused } from './server-refused.ts'
import { type Shown, showResult } from './show-result.ts'
import { permissionsText, secretText, tokensText } from './tokens-text.ts'

interface Common extends ApiConnection, Shown {
  readonly user?: true
}

/** `posthorn tokens`: what programs log in with. */
export function tokensCommand(): Command {
  const tokens = apiGroup('tokens', 'the API tokens of an account, or with --user your own', HELP)
  const add = (name: string, description: string) =>
    apiCommand(tokens, name, description).option('--user', "your own tokens in place of the account's")
  add('list', 'the tokens, without their secrets')
    .option('--expired', 'also those that have expired')
    .action(run(list))
  add('permissions', 'what a token can be given').action(run(permissions))
  add('create <name>', 'make a token and show its secret, once')
    .option('--permission <name>', 'what it may do, such as "Email Sending:Edit"; repeatable', collect)
    .option('--zone <name>', 'in this zone alone; repeatable', collect)
    .option('--ip <range>', 'works from this address or range alone; repeatable', collect)
    .option('--not-ip <range>', 'does not work from there; repeatable', collect)
    .addOption(new Option('--expires <when>', 'a time, a date, or 90d').argParser((text) => readWhen(text)))
    .addOption(
      new Option('--not-before <when>', 'does not work until then').argParser((text) => readWhen(text)),
    )
    .option('--secret-only', 'print the secret and nothing else')
    .action(run(create))
  add('roll <token>', 'give a token, by id or name, a new secret; the old one stops at once')
    .option('--secret-only', 'print the secret and nothing else')
    .option('-y, --yes', 'do not ask')
    .action(run(roll))
  add('revoke <token>', 'end a token, by id or name').option('-y, --yes', 'do not ask').action(run(revoke))
  return tokens
}

const HELP = `
No token makes, changes or rolls one that may do more than itself. Edit includes
Read.
`

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}

function run<O extends Common, A extends readonly unknown[]>(
  work: (client: ApiClient, options: O, ...args: A) => Promise<void>,
) {
  return runAction<O, ApiClient, A>(openApiClient, work)
}

/** Whose tokens: the operations, and what their paths name. */
async function deskOf(client: ApiClient, { user }: Common) {
  if (user) return { operations: userTokens, params: {} }
  return { operations: accountTokens, params: { account_id: await client.account() } }
}

async function list(client: ApiClient, options: Common & { readonly expired?: true }): Promise<void> {
  const { operations, params } = await deskOf(client, options)
  const query = { include_expired: options.expired ? 'true' : 'false' }
  const tokens = await client.all(operations.list, { params, query })
  showResult(tokens, options, (page) => tokensText(tokens, page))
}

async function permissions(client: ApiClient, options: Common): Promise<void> {
  const { operations, params } = await deskOf(client, options)
  const groups = await client.ask(operations.permissionGroups, { params })
  showResult(groups, options, (page) => permissionsText(groups, page))
}

interface CreateOptions extends Common {
  readonly permission?: readonly string[]
  readonly zone?: readonly string[]
  readonly ip?: readonly string[]
  readonly notIp?: readonly string[]
  readonly expires?: string
  readonly notBefore?: string
  readonly secretOnly?: true
}

async function create(client: ApiClient, options: CreateOptions, name: string): Promise<void> {
  const { permission = [], zone = [], ip, notIp, expires, notBefore } = options
  if (permission.length === 0) {
    const detail =
      'say by --permission what the token may do; "posthorn tokens permissions" lists what there is'
    throw new CommandFailed(detail, EXIT.usage)
  }
  const { operations, params } = await deskOf(client, options)
  const groups = await client.ask(operations.permissionGroups, { params })
  const wanted = permission.map((text) => {
    const found = groups.find((group) => plainPermission(group.name) === plainPermission(text))
    if (found) return { id: found.id }
    const known = groups.map((group) => `\n  ${group.name}`).join('')
    throw new CommandFailed(`there is no permission "${text}"; there are:${known}`, EXIT.usage)
  })
  const zones = await Promise.all(zone.map((text) => findZone(client, text)))
  const resources =
    zones.length > 0
      ? zones.map(({ id }) => `com.cloudflare.api.account.zone.${id}`)
      : [`com.cloudflare.api.account.${await client.account()}`]
  const token = await client.ask(operations.create, {
    params,
    body: {
      name,
      policies: [
        {
          effect: 'allow',
          permission_groups: wanted,
          resources: Object.fromEntries(resources.map((resource) => [resource, '*'])),
        },
      ],
      ...((ip || notIp) && { condition: { request_ip: { in: ip, not_in: notIp } } }),
      ...(expires !== undefined && { expires_on: expires }),
      ...(notBefore !== undefined && { not_before: notBefore }),
    },
  })
  if (options.secretOnly) console.log(token.value)
  else showResult(token, options, (page) => secretText(token, page))
}

interface Sure extends Common {
  readonly yes?: true
}

async function roll(
  client: ApiClient,
  options: Sure & { readonly secretOnly?: true },
  text: string,
): Promise<void> {
  const { operations, params } = await deskOf(client, options)
  const token = await findToken(client, options, text)
  if (!options.yes) {
    const own = await ownWarning(client, options, token)
    await confirm(`Give "${token.name}" a new secret? The old one stops at once.${own}`)
  }
  const value = await client.ask(operations.roll, { params: { ...params, token_id: token.id } })
  const rolled = { ...token, value }
  if (options.secretOnly) console.log(value)
  else showResult(rolled, options, (page) => secretText(rolled, page))
}

async function revoke(client: ApiClient, options: Sure, text: string): Promise<void> {
  const { operations, params } = await deskOf(client, options)
  const token = await findToken(client, options, text)
  const { id, name } = token
  if (!options.yes) {
    const own = await ownWarning(client, options, token)
    await confirm(`Revoke "${name}"? What uses it is refused at once, for good.${own}`)
  }
  await client.ask(operations.delete, { params: { ...params, token_id: id } })
  showResult({ id, name, revoked: true }, options, () => `"${name}" is revoked.`)
}

async function findToken(client: ApiClient, options: Common, text: string): Promise<TokenBody> {
  const { operations, params } = await deskOf(client, options)
  const all = await client.all(operations.list, { params, query: { include_expired: 'true' } })
  const named = all.filter(({ id, name }) => id === text.toLowerCase() || name === text)
  const [token, second] = named
  if (!token) throw new CommandFailed(`there is no token "${text}" here`, EXIT.nothing)
  if (!second) return token
  const ids = named.map(({ id, issued_on }) => `\n  ${id}  made ${issued_on}`).join('')
  throw new CommandFailed(`several tokens are called "${text}"; say which by its id:${ids}`, EXIT.usage)
}

/** A token of another kind than those in question is not among them. */
async function ownWarning(client: ApiClient, options: Common, { id }: TokenBody): Promise<string> {
  const { operations, params } = await deskOf(client, options)
  try {
    const own = await client.ask(operations.verify, { params })
    return own.id === id ? ' It is the token that this command uses.' : ''
  } catch (error) {
    if (error instanceof ServerRefused) return ''
    throw error
  }
}
