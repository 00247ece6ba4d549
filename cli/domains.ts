import { type Command, Option } from 'commander'
import { deleteRoutingDns, rotateRoutingKey } from '#contract/routing-settings.ts'
import { deleteSendingSubdomain, rotateSendingKey } from '#contract/sending-subdomains.ts'
import { getZone } from '#contract/zones.ts'
import { type ApiClient, type ApiConnection, openApiClient } from './api-client.ts'
import { apiCommand, apiGroup } from './api-command.ts'
import { confirm } from './confirm.ts'
import { isReady, recordsOf, statusesOf } from './domain-status.ts'
import { listDomains } from './domains-list.ts'
import { type OnboardOptions, onboardDomain } from './domains-onboard.ts'
import { domainsText, headline, keysText, missingText, publishText, statusText } from './domains-text.ts'
import { EXIT } from './exit-codes.ts'
import { findDomain, type Services } from './find-domain.ts'
import { page } from './page.ts'
import { readDuration } from './read-when.ts'
import { bindForm, type RecordToPublish } from './record-forms.ts'
import { valueOf } from './record-problems.ts'
import { recordsToPublish, roadOf } from './records-to-publish.ts'
import { runAction } from './run-action.ts'
import { isJson, type Shown, showResult } from './show-result.ts'
import { textTable } from './text-table.ts'
import { waitUntil } from './wait-until.ts'

type Common = ApiConnection & Shown & Services

/** `posthorn domains`: what sends and takes mail, its records and its keys. */
export function domainsCommand(): Command {
  const domains = apiGroup('domains', 'set domains up for mail, and see to their records and keys')
  const add = (name: string, description: string) => apiCommand(domains, name, description)
  add('list', 'the domains that are set up, and how they stand in DNS now').action(run(list))
  withServices(add('onboard <domain>', 'set a domain up for sending, unless you say --routing or both'))
    .addOption(new Option('--print', 'say what it would write, and change nothing').conflicts('apply'))
    .option('--apply', 'do not ask')
    .action(run((client, options: OnboardOptions, name: string) => onboardDomain(client, options, name)))
  withServices(add('records <domain>', 'the records that a domain needs, to be published'))
    .addOption(new Option('--bind', 'as lines of a zone file').conflicts('paste'))
    .option('--paste', 'field by field, for the form of a DNS provider')
    .option('--all', 'also those that are published here')
    .action(run(records))
  withServices(add('check <domain>', 'look at DNS now, and say what is wrong'))
    .option('--wait <duration>', 'look until all is ready, so long at most: 90s, 15m, 2h', readDuration)
    .action(run(check))
  withServices(add('rotate-key <domain>', 'make a new DKIM key, which signs once DNS shows it')).action(
    run(rotateKey),
  )
  withServices(add('remove <domain>', 'end sending from a domain, or routing to it, or both'))
    .option('-y, --yes', 'do not ask')
    .action(run(remove))
  return domains
}

function withServices(command: Command): Command {
  return command.option('--sending', 'for sending').option('--routing', 'for routing')
}

function run<O extends Common, A extends readonly unknown[]>(
  work: (client: ApiClient, options: O, ...args: A) => Promise<void>,
) {
  return runAction<O, ApiClient, A>(openApiClient, work)
}

async function list(client: ApiClient, options: Common): Promise<void> {
  const domains = await listDomains(client)
  showResult(domains, options, (shown) => domainsText(domains, shown))
}

interface RecordsOptions extends Common {
  readonly bind?: true
  readonly paste?: true
  readonly all?: true
}

async function records(client: ApiClient, options: RecordsOptions, text: string): Promise<void> {
  const domain = await findDomain(client, text, options)
  const { name, zone } = domain
  const needed = await recordsOf(client, domain)
  const asked = options.bind || options.paste
  // Who asks for a form of what is published here wants it for elsewhere.
  const left =
    options.all || (asked && roadOf(zone) === 'hosted')
      ? needed.flatMap(({ content, ...record }) => (content === undefined ? [] : [{ ...record, content }]))
      : recordsToPublish(zone, needed)
  if (!asked && isJson(options)) {
    const result = {
      domain: name,
      zone: zone.name,
      records: needed,
      to_publish: recordsToPublish(zone, needed),
    }
    showResult(result, options, () => '')
    return
  }
  if (options.bind) console.log(bindForm(left))
  else if (left.length > 0) console.log(publishText(left, { zone: zone.name, page: page() }))
  else {
    const rows = needed.map((record) => [record.type, record.name, valueOf(record)])
    const table = textTable(['TYPE', 'NAME', 'VALUE'], rows, page().width)
    console.log(`${headline(name, zone, page())}\n\n${table}`)
  }
}

async function check(
  client: ApiClient,
  options: Common & { readonly wait?: number },
  text: string,
): Promise<void> {
  const domain = await findDomain(client, text, options)
  const { name, zone } = domain
  const statuses = await waitUntil(() => statusesOf(client, domain), isReady, options.wait)
  const ready = isReady(statuses)
  if (!ready) process.exitCode = EXIT.refused
  const result = { domain: name, zone: zone.name, ready, ...Object.fromEntries(statuses) }
  showResult(result, options, (shown) => {
    const records = statuses.flatMap(([, status]) => status.records)
    return [
      headline(name, zone, shown),
      ...statuses.map(([service, status]) => statusText(service, status, { zone, page: shown })),
      missingText(name, zone, { records, page: shown }) ?? '',
    ]
      .join('\n')
      .trimEnd()
  })
}

async function rotateKey(client: ApiClient, options: Common, text: string): Promise<void> {
  const domain = await findDomain(client, text, options)
  const { name, zone, sending, routing } = domain
  const params = { zone_id: zone.id }
  const keys = {
    ...(sending && {
      sending: await client.ask(rotateSendingKey, { params: { ...params, subdomain_id: sending.tag } }),
    }),
    ...(routing && {
      routing: await client.ask(rotateRoutingKey, { params, query: { subdomain: name } }),
    }),
  }
  showResult({ domain: name, zone: zone.name, ...keys }, options, (shown) =>
    [
      headline(name, zone, shown),
      ...(keys.sending ? [keysText('sending', keys.sending, { zone, page: shown })] : []),
      ...(keys.routing ? [keysText('routing', keys.routing, { zone, page: shown })] : []),
    ].join('\n'),
  )
}

async function remove(
  client: ApiClient,
  options: Common & { readonly yes?: true },
  text: string,
): Promise<void> {
  const domain = await findDomain(client, text, options)
  const { name, zone, sending, routing } = domain
  const mail = sending && routing ? 'Mail from it and to it' : sending ? 'Mail from it' : 'Mail to it'
  const services = [...(sending ? ['sending'] : []), ...(routing ? ['routing'] : [])]
  const kept = routing ? '; its rules are kept' : ''
  const question = `Remove ${name} from ${services.join(' and ')}? ${mail} is refused from then on${kept}.`
  if (!options.yes) await confirm(question)
  const records = recordsToPublish(zone, await recordsOf(client, domain))
  const params = { zone_id: zone.id }
  if (sending) await client.ask(deleteSendingSubdomain, { params: { ...params, subdomain_id: sending.tag } })
  if (routing) await client.ask(deleteRoutingDns, { params, query: { subdomain: name } })
  const { delegated_names: used } = await client.ask(getZone, { params })
  const left = records.filter((record) => isLeftOver(record, used))
  const result = { domain: name, zone: zone.name, removed: services, left_in_dns: left }
  showResult(result, options, (shown) => {
    const done = `${name} is removed from ${services.join(' and ')}.`
    if (left.length === 0) return done
    const rows = left.map((record) => [record.type, record.name, valueOf(record)])
    const table = textTable(['TYPE', 'NAME', 'VALUE'], rows, shown.width)
    return `${done}\nThese can go, if they are still in DNS:\n\n${table}`
  })
}

/** Whether nobody needs the record any more. A DMARC policy is the domain's own, and so is an SPF record that names others
 *  as well. */
function isLeftOver({ type, name, content }: RecordToPublish, delegated: readonly string[]): boolean {
  if (type === 'NS') return !delegated.includes(name)
  if (name.startsWith('_dmarc.')) return false
  return !content.startsWith('v=spf1') || /^v=spf1 include:\S+ [~-]all$/.test(content)
}
