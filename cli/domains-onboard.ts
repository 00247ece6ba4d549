import type { DomainPreviewBody } from '#contract/onboarding-records.ts'
import { createRoutingDns, previewRouting } from '#contract/routing-settings.ts'
import { createSendingSubdomain, previewSendingSubdomain } from '#contract/sending-subdomains.ts'
import type { ApiClient, ApiConnection } from './api-client.ts'
import { confirm } from './confirm.ts'
import { recordsOf, statusesOf } from './domain-status.ts'
import { headline, missingText, previewText, publishText, statusText } from './domains-text.ts'
import { CommandFailed, EXIT } from './exit-codes.ts'
import {
  findDomain,
  type MailService,
  namedServices,
  nameOf,
  type Services,
  type ZoneDetail,
  zoneToHold,
} from './find-domain.ts'
import { type Page, page } from './page.ts'
import { blocks } from './record-problems.ts'
import { recordsToPublish } from './records-to-publish.ts'
import { type Shown, showResult } from './show-result.ts'

export interface OnboardOptions extends ApiConnection, Shown, Services {
  readonly print?: true
  readonly apply?: true
}

type Previews = readonly (readonly [MailService, DomainPreviewBody])[]

/** Shows what would be written, asks, writes it, and shows how it stands and what is left to its owner. Doing it again
 *  mends what is missing. */
export async function onboardDomain(client: ApiClient, options: OnboardOptions, text: string): Promise<void> {
  const name = nameOf(text)
  const named = namedServices(options)
  const services: readonly MailService[] = named.length > 0 ? named : ['sending']
  const zone = await zoneToHold(client, name)
  const previews: (readonly [MailService, DomainPreviewBody])[] = []
  for (const service of services) previews.push([service, await preview(client, { zone, name, service })])
  const blocked = previews.some(([, { errors }]) => errors.some(blocks))
  if (options.print) {
    if (blocked) process.exitCode = EXIT.refused
    const result = { domain: name, zone: zone.name, applied: false, ...Object.fromEntries(previews) }
    showResult(result, options, (shown) => foreseenText(name, { zone, previews, blocked, page: shown }))
    return
  }
  // A pending zone is refused, with what to do about it.
  if (!options.apply && zone.status === 'active') {
    console.error(`${foreseenText(name, { zone, previews, blocked, page: page(process.stderr) })}\n`)
    if (blocked) throw new CommandFailed('Nothing was changed.', EXIT.refused)
    await confirm(`Set ${name} up for ${services.join(' and ')}?`, '--apply')
  }
  await apply(client, { zone, name, services })
  await showDone(client, options, { name, services })
}

interface Wanted {
  readonly zone: ZoneDetail
  readonly name: string
}

function preview(
  client: ApiClient,
  { zone, name, service }: Wanted & { readonly service: MailService },
): Promise<DomainPreviewBody> {
  const operation = service === 'sending' ? previewSendingSubdomain : previewRouting
  return client.ask(operation, { params: { zone_id: zone.id }, body: { name } })
}

async function apply(
  client: ApiClient,
  { zone, name, services }: Wanted & { readonly services: readonly MailService[] },
): Promise<void> {
  const request = { params: { zone_id: zone.id }, body: { name } }
  let done: MailService | undefined
  for (const service of services) {
    try {
      if (service === 'sending') await client.ask(createSendingSubdomain, request)
      else await client.ask(createRoutingDns, request)
      done = service
    } catch (error) {
      if (!(error instanceof CommandFailed) || !done) throw error
      throw new CommandFailed(
        `${error.message}\n  It is set up for ${done}, and not for ${service}.`,
        error.exitCode,
      )
    }
  }
}

async function showDone(
  client: ApiClient,
  options: OnboardOptions,
  { name, services }: { readonly name: string; readonly services: readonly MailService[] },
): Promise<void> {
  const given: Services = Object.fromEntries(services.map((service) => [service, true]))
  const domain = await findDomain(client, name, given)
  const { zone } = domain
  const statuses = await statusesOf(client, domain)
  const left = recordsToPublish(zone, await recordsOf(client, domain))
  const result = {
    ...{ domain: name, zone: zone.name, applied: true },
    ...Object.fromEntries(statuses),
    to_publish: left,
  }
  showResult(result, options, (shown) => {
    const records = statuses.flatMap(([, status]) => status.records)
    const missing = missingText(name, zone, { records, page: shown })
    return [
      headline(name, zone, shown),
      ...statuses.map(([service, status]) => statusText(service, status, { zone, page: shown })),
      ...(missing === undefined || left.length > 0 ? [] : [missing]),
      ...(missing === undefined || left.length === 0
        ? []
        : [
            `\nPublish these at the DNS provider of ${zone.name}:\n`,
            publishText(left, { zone: zone.name, page: shown }),
            `\nThen: posthorn domains check ${name} --wait 1h`,
          ]),
    ].join('\n')
  })
}

function foreseenText(
  name: string,
  of: {
    readonly zone: ZoneDetail
    readonly previews: Previews
    readonly blocked: boolean
    readonly page: Page
  },
): string {
  const { zone, previews, blocked, page: shown } = of
  const waits = zone.status === 'pending'
  return [
    headline(name, zone, shown),
    ...previews.map(([service, body]) => previewText(service, body, { zone, page: shown })),
    ...(blocked ? ['\nWhat is marked ! has to be mended first.'] : []),
    ...(waits ? [`\nThe zone ${zone.name} is pending: see "posthorn zones check ${zone.name}" first.`] : []),
  ].join('\n')
}
