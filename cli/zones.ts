import { type Command, Option } from 'commander'
import { listSendingSubdomains } from '#contract/sending-subdomains.ts'
import { checkActivation, createZone, deleteZone, getZone, listZones } from '#contract/zones.ts'
import { type ApiClient, type ApiConnection, openApiClient } from './api-client.ts'
import { apiCommand, apiGroup } from './api-command.ts'
import { confirm } from './confirm.ts'
import { EXIT } from './exit-codes.ts'
import { findZone } from './find-domain.ts'
import { readDuration } from './read-when.ts'
import { runAction } from './run-action.ts'
import { type Shown, showResult } from './show-result.ts'
import { unlessForbidden } from './unless-forbidden.ts'
import { waitUntil } from './wait-until.ts'
import { zonesText, zoneText } from './zones-text.ts'

type Common = ApiConnection & Shown

/** `posthorn zones`: the names that an account has shown to be its own. */
export function zonesCommand(): Command {
  const zones = apiGroup('zones', 'the names that are yours, under which domains are set up')
  const add = (name: string, description: string) => apiCommand(zones, name, description)
  add('list', 'the zones that the token sees')
    .addOption(new Option('--status <status>', 'only those').choices(['pending', 'active']))
    .action(run(list))
  add('create <name>', 'make a zone, hosted here unless you say otherwise')
    .addOption(
      new Option('--partial', 'its DNS stays elsewhere, and the names for mail are delegated here').conflicts(
        'manual',
      ),
    )
    .option('--manual', 'its DNS stays elsewhere, and you publish its records by hand')
    .action(run(create))
  add('check <name>', 'look for the proof of a pending zone, and say what is missing')
    .option('--wait <duration>', 'look until it is active, so long at most: 90s, 15m, 2h', readDuration)
    .action(run(check))
  add('delete <name>', 'remove a zone with its domains, keys, records and rules')
    .option('-y, --yes', 'do not ask')
    .action(run(remove))
  return zones
}

function run<O extends Common, A extends readonly unknown[]>(
  work: (client: ApiClient, options: O, ...args: A) => Promise<void>,
) {
  return runAction<O, ApiClient, A>(openApiClient, work)
}

async function list(client: ApiClient, options: Common & { readonly status?: string }): Promise<void> {
  const account = await client.namedAccount()
  const zones = await client.all(listZones, {
    query: { 'account.id': account, status: options.status },
  })
  showResult(zones, options, (page) => zonesText(zones, page))
}

interface CreateOptions extends Common {
  readonly partial?: true
  readonly manual?: true
}

async function create(client: ApiClient, options: CreateOptions, name: string): Promise<void> {
  const { partial, manual } = options
  const zone = await client.ask(createZone, {
    body: {
      name,
      account: { id: await client.account() },
      type: partial || manual ? 'partial' : 'full',
      dns: manual ? 'manual' : 'hosted',
    },
  })
  showResult(zone, options, (page) => zoneText(zone, page))
}

async function check(
  client: ApiClient,
  options: Common & { readonly wait?: number },
  name: string,
): Promise<void> {
  const { id } = await findZone(client, name)
  const params = { zone_id: id }
  const look = async () => {
    await client.ask(checkActivation, { params })
    return client.ask(getZone, { params })
  }
  const zone = await waitUntil(look, ({ status }) => status === 'active', options.wait)
  if (zone.status !== 'active') process.exitCode = EXIT.refused
  showResult(zone, options, (page) => zoneText(zone, page))
}

async function remove(
  client: ApiClient,
  options: Common & { readonly yes?: true },
  text: string,
): Promise<void> {
  const { id, name, account } = await findZone(client, text)
  const params = { zone_id: id }
  if (!options.yes) {
    const domains = await unlessForbidden(client.ask(listSendingSubdomains, { params }))
    const names = domains === 'not shown' ? [] : domains.map((domain) => domain.name)
    const senders = names.length === 0 ? '' : `, from which ${names.join(', ')} can send`
    await confirm(
      `Delete the zone ${name} of ${account.name}${senders}, with its domains, keys, records and rules? It cannot be undone.`,
    )
  }
  await client.ask(deleteZone, { params })
  showResult({ id, name, deleted: true }, options, () => `${name} is deleted.`)
}
