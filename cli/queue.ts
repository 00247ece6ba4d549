import { Command, InvalidArgumentError, Option } from 'commander'
import {
  type ActResult,
  type DeliveryTimeline,
  type PauseBody,
  QUEUE_STATES,
  type QueueAction,
  type QueueBody,
  type QueuedDelivery,
} from '#contract/operator.ts'
import { confirm } from './confirm.ts'
import { CommandFailed, EXIT } from './exit-codes.ts'
import { type Connection, type OperatorClient, openOperatorClient } from './operator-client.ts'
import { page } from './page.ts'
import { actText, listText, statsText, timelineText } from './queue-text.ts'
import { runAction } from './run-action.ts'
import { number } from './text-table.ts'

interface Common extends Connection {
  readonly json?: true
}

interface Filters {
  readonly account?: string
  readonly domain?: string
  readonly destination?: string
  readonly state?: string
  readonly olderThan?: string
}

interface Act extends Common, Filters {
  readonly all?: true
  readonly dryRun?: true
  readonly yes?: true
}

/** From here on a selection by anything but ids is worth a question. */
const WIDE = 10

/** `posthorn queue`: the operator's hands, as a client of `/operator/v1`. */
export function queueCommand(): Command {
  const queue = new Command('queue')
    .description('look at the queue of outgoing mail, and reach into it')
    .showHelpAfterError()
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.done : EXIT.usage))
    .addHelpText('after', HELP)
  add(queue, 'stats', 'what is in the queue, for whom, and what stands in its way', {
    isDefault: true,
  }).action(run(stats))
  withFilters(add(queue, 'list', 'what is in the queue, what expires first coming first'))
    .option('--message <id>', 'all deliveries of the message with this Message-ID, also settled ones')
    .option('--limit <n>', 'how many at most', positive, 50)
    .action(run(list))
  add(queue, 'show <id>', 'one delivery, and everything that happened to it').action(run(show))
  for (const [action, description] of ACTIONS)
    withFilters(add(queue, `${action} [ids...]`, description))
      .option('--all', 'everything in the queue')
      .option('--dry-run', 'say how many it would be, and change nothing')
      .option('-y, --yes', 'do not ask')
      .action(run((client, common, ids: string[]) => act(client, { action, ids }, common)))
  add(queue, 'pause <name>', 'attempt nothing for a recipient domain, or at an MX host')
    .option('--host', 'the name is that of an MX host')
    .option('--for <duration>', 'ends by itself: 90s, 15m, 2h, 7d')
    .option('--until <time>', 'the same as a time, such as 2026-11-20T09:00:00Z')
    .option('--reason <text>', 'why, for whoever asks later')
    .action(run(pause))
  add(queue, 'resume <name>', 'end a pause')
    .option('--host', 'the name is that of an MX host')
    .action(run(resume))
  return queue
}

const ACTIONS: readonly (readonly [QueueAction, string])[] = [
  ['hold', 'keep back what waits, until it is released or expires'],
  ['release', 'let go on what is held'],
  ['retry', 'try what waits now, however long it was to wait'],
  ['cancel', 'take out what waits or is held; its sender is not told'],
  ['expire', 'end the time of what waits or is held: it fails, and its sender is told'],
]

const HELP = `
Deliveries are selected by ids, or by --account, --domain, --destination, --state and --older-than, which
must all be met. What is being attempted at the moment is always left alone.

Exit codes:
  0   done
  1   the server refused, or failed
  2   the command line is wrong
  3   nothing matched
  4   it was not confirmed
  69  no server, or no token for it`

function add(queue: Command, name: string, description: string, options?: { isDefault: boolean }): Command {
  return queue
    .command(name, options)
    .description(description)
    .option('--json', 'for machines: the result as JSON')
    .option('--url <url>', 'the server; by default from dev.json in the data folder')
    .option(
      '--token-file <path>',
      'by default POSTHORN_OPERATOR_TOKEN_FILE, or operator-token in the data folder',
    )
    .option('--data <folder>', 'the data folder; by default POSTHORN_DATA, or ./.posthorn')
}

function withFilters(command: Command): Command {
  return command
    .option('--account <id>', 'of this account')
    .option('--domain <name>', 'to this recipient domain')
    .option('--destination <host>', 'to the domains that this MX host serves')
    .addOption(new Option('--state <state>', 'in this state').choices(QUEUE_STATES))
    .option('--older-than <age>', 'accepted so long ago (90s, 15m, 2h, 7d), or before a time')
}

function run<O extends Common, A extends readonly unknown[]>(
  work: (client: OperatorClient, options: O, ...args: A) => Promise<void>,
) {
  return runAction<O, OperatorClient, A>(openOperatorClient, work)
}

function positive(text: string): number {
  const n = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (n > 0) return n
  throw new InvalidArgumentError('It must be a number from 1 on.')
}

function print(result: object, { json }: Common, text: () => string): void {
  console.log(json ? JSON.stringify(result, null, 2) : text())
}

async function stats(client: OperatorClient, options: Common): Promise<void> {
  const queue = await client.call<QueueBody>('GET', '/queue')
  print(queue, options, () => statsText(queue, page()))
}

async function list(
  client: OperatorClient,
  options: Common & Filters & { readonly limit: number; readonly message?: string },
): Promise<void> {
  const query = new URLSearchParams(
    options.message === undefined ? fields(options) : { message_id: options.message },
  )
  const deliveries: QueuedDelivery[] = []
  let more = true
  while (more && deliveries.length < options.limit) {
    query.set('per_page', String(Math.min(1000, options.limit - deliveries.length)))
    const { result, cursor } = await client.page<QueuedDelivery[]>(`/deliveries?${query.toString()}`)
    deliveries.push(...result)
    more = cursor !== null
    query.set('cursor', cursor ?? '')
  }
  if (deliveries.length === 0) process.exitCode = EXIT.nothing
  print(deliveries, options, () => {
    if (deliveries.length === 0) return 'Nothing in the queue matches.'
    const rest = more ? `\nThere are more than these ${number(deliveries.length)}: --limit shows them.` : ''
    return `${listText(deliveries, page())}${rest}`
  })
}

function fields({ account, domain, destination, state, olderThan }: Filters): Record<string, string> {
  return {
    ...(account !== undefined && { account_id: account }),
    ...(domain !== undefined && { domain }),
    ...(destination !== undefined && { destination }),
    ...(state !== undefined && { state }),
    ...(olderThan !== undefined && { older_than: olderThan }),
  }
}

async function show(client: OperatorClient, options: Common, id: string): Promise<void> {
  const path = `/deliveries/${encodeURIComponent(id)}/timeline?per_page=1000`
  const first = await client.page<DeliveryTimeline>(path)
  const events = [...first.result.events]
  for (let { cursor } = first; cursor !== null; ) {
    const next = await client.page<DeliveryTimeline>(`${path}&cursor=${cursor}`)
    events.push(...next.result.events)
    cursor = next.cursor
  }
  const timeline = { ...first.result, events }
  print(timeline, options, () => timelineText(timeline, page()))
}

async function act(
  client: OperatorClient,
  { action, ids }: { readonly action: QueueAction; readonly ids: readonly string[] },
  options: Act,
): Promise<void> {
  const selection = {
    ...fields(options),
    ...(ids.length > 0 && { ids }),
    ...(options.all && { all: true }),
  }
  if (Object.keys(selection).length === 0) {
    const detail =
      'say which deliveries: ids, --account, --domain, --destination, --state, --older-than, or --all'
    throw new CommandFailed(detail, EXIT.usage)
  }
  const path = `/deliveries/${action}`
  const foreseen = await client.call<ActResult>('POST', path, { ...selection, dry_run: true })
  const wide = ids.length === 0 && foreseen.changed > WIDE
  if (wide && !options.yes && !options.dryRun)
    await confirm(`${action[0]?.toUpperCase()}${action.slice(1)} ${number(foreseen.changed)} deliveries?`)
  const result = options.dryRun ? foreseen : await actOnAll(client, path, selection, foreseen)
  if (result.changed === 0) process.exitCode = EXIT.nothing
  print(result, options, () => actText(result))
}

/** A call is bounded; a person means all of it. */
async function actOnAll(
  client: OperatorClient,
  path: string,
  selection: object,
  foreseen: ActResult,
): Promise<ActResult> {
  let changed = 0
  for (;;) {
    const result = await client.call<ActResult>('POST', path, selection)
    changed += result.changed
    if (!result.more || result.changed === 0) return { ...foreseen, dry_run: false, changed, more: false }
  }
}

interface PauseOptions extends Common {
  readonly host?: true
  readonly for?: string
  readonly until?: string
  readonly reason?: string
}

async function pause(client: OperatorClient, options: PauseOptions, name: string): Promise<void> {
  const { host, for: duration, until, reason } = options
  const made = await client.call<PauseBody>('POST', '/pauses', {
    kind: host ? 'host' : 'domain',
    name,
    ...(duration !== undefined && { for: duration }),
    ...(until !== undefined && { until }),
    ...(reason !== undefined && { reason }),
  })
  print(made, options, () => {
    const end = made.until === null ? 'it is resumed' : made.until
    return `${made.kind === 'host' ? 'The host' : 'The domain'} ${made.name} is paused until ${end}.`
  })
}

async function resume(client: OperatorClient, options: PauseOptions, name: string): Promise<void> {
  const kind = options.host ? 'host' : 'domain'
  const path = `/pauses/${kind}/${encodeURIComponent(name)}`
  const ended = await client.call<Pick<PauseBody, 'kind' | 'name'>>('DELETE', path)
  print(
    ended,
    options,
    () => `${ended.kind === 'host' ? 'The host' : 'The domain'} ${ended.name} is resumed.`,
  )
}
