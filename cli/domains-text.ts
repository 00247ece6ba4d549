import type {
  DkimKeyBody,
  DomainPreviewBody,
  DomainStatusBody,
  ExpectedRecordBody,
} from '#contract/onboarding-records.ts'
import type { MailService, ZoneDetail } from './find-domain.ts'
import type { Page } from './page.ts'
import { pasteForm, pasteNote, type RecordToPublish, shortName } from './record-forms.ts'
import { recordProblems, valueOf } from './record-problems.ts'
import { recordsToPublish, roadOf } from './records-to-publish.ts'
import { fromNow, plain, textTable } from './text-table.ts'
import { wrapText } from './wrap-text.ts'

/** A domain as the list has it. */
export interface ListedDomain {
  readonly name: string
  readonly zone: string
  readonly zone_id: string
  readonly account_id: string
  /** `not shown`: the token may not read it. */
  readonly sending: DomainStatusBody['status'] | 'zone pending' | 'not shown'
  readonly routing: DomainStatusBody['status'] | 'zone pending' | 'not shown'
  readonly dkim_selector: string | null
}

export function domainsText(domains: readonly ListedDomain[], page: Page): string {
  if (domains.length === 0) return 'No domain is set up. "posthorn domains onboard" does it.'
  const word = (status: string) => (status === 'unconfigured' ? '-' : status)
  return textTable(
    ['DOMAIN', 'SENDING', 'ROUTING', 'KEY', 'ZONE'],
    domains.map(({ name, sending, routing, dkim_selector: key, zone }) => [
      name,
      word(sending),
      word(routing),
      key ?? '-',
      zone,
    ]),
    page.width,
  )
}

const ROADS = {
  hosted: 'its DNS records are published here',
  'mail names': 'its DNS stays elsewhere, with the names for mail delegated here',
  'by hand': 'its DNS records are published by hand',
} as const satisfies Record<ReturnType<typeof roadOf>, string>

/** What the command is about. */
export function headline(name: string, zone: ZoneDetail, { width }: Page): string {
  const where = name === zone.name ? `Zone ${name}` : `${name} in the zone ${zone.name}`
  return wrapText(plain(`${where}: ${ROADS[roadOf(zone)]}.`), width)
}

export function previewText(
  service: MailService,
  preview: DomainPreviewBody,
  { zone, page }: { readonly zone: ZoneDetail; readonly page: Page },
): string {
  const { records, errors, spf } = preview
  const lacking = (record: ExpectedRecordBody) =>
    errors.some(
      ({ missing }) =>
        missing?.type === record.type && missing.name === record.name && missing.priority === record.priority,
    )
  const table = textTable(
    ['', 'TYPE', 'NAME', 'VALUE'],
    records.map((record) => {
      const merged = spf.existing !== null && spf.existing !== spf.merged && record.content === spf.merged
      const word = merged ? 'change' : lacking(record) ? 'add' : 'there'
      return [word, record.type, shortName(record.name, zone.name), valueOf(record)]
    }),
    page.width,
  )
  const changed =
    spf.existing === null || spf.existing === spf.merged
      ? []
      : [`SPF was      ${plain(spf.existing)}`, `SPF becomes  ${plain(spf.merged)}`]
  const lookups = `SPF: ${spf.lookups} of the ${spf.limit} DNS lookups that verifiers make.`
  return [`\n${title(service)}`, table, ...changed, lookups, ...problemLines(errors, page)].join('\n')
}

export function statusText(
  service: MailService,
  status: DomainStatusBody,
  { zone, page }: { readonly zone: ZoneDetail; readonly page: Page },
): string {
  const table = textTable(
    ['STATE', 'TYPE', 'NAME', 'VALUE'],
    status.records.map((record) => [
      `${record.state.replace('_', ' ')}${record.next ? ', next key' : ''}`,
      record.type,
      shortName(record.name, zone.name),
      valueOf(record),
    ]),
    page.width,
  )
  const lookups = status.spf_lookups === null ? [] : [`SPF: ${status.spf_lookups} DNS lookups.`]
  return [
    `\n${title(service)}: ${status.status}`,
    table,
    ...lookups,
    ...problemLines(status.errors, page),
  ].join('\n')
}

/** What to do about what is missing; undefined where nothing is. */
export function missingText(
  name: string,
  zone: ZoneDetail,
  { records, page }: { readonly records: DomainStatusBody['records']; readonly page: Page },
): string | undefined {
  const missing = records.filter(({ state }) => state === 'missing')
  if (missing.length === 0) return undefined
  const left = recordsToPublish(zone, missing)
  const say = (text: string) => `\n${wrapText(plain(text), page.width)}`
  if (left.length > 0)
    return say(
      `To be published at the DNS provider of ${zone.name}: "posthorn domains records ${name}" shows it.`,
    )
  return say(
    `DNS does not show what is published here. "posthorn domains onboard ${name} --apply" writes it again if it was deleted; else ${zone.name} must be delegated to ${zone.name_servers.join(' and ')}.`,
  )
}

function problemLines(errors: DomainStatusBody['errors'], { width }: Page): string[] {
  return recordProblems(errors).map((text) => wrapText(plain(`! ${text}`), width, '  '))
}

function title(service: MailService): string {
  return service === 'sending' ? 'Sending' : 'Routing'
}

/** Records for a person who is to publish them. */
export function publishText(
  records: readonly RecordToPublish[],
  { zone, page }: { readonly zone: string; readonly page: Page },
): string {
  return `${pasteForm(records, zone)}\n\n${pasteNote(zone, page.width)}`
}

export function keysText(
  service: MailService,
  keys: readonly DkimKeyBody[],
  { zone, page }: { readonly zone: ZoneDetail; readonly page: Page },
): string {
  const table = textTable(
    ['SELECTOR', 'STATE', 'SINCE', 'MADE'],
    keys.map(({ selector, state, modified, created }) => [
      selector,
      state,
      fromNow(modified, page.now),
      fromNow(created, page.now),
    ]),
    page.width,
  )
  const next = keys.find(({ state }) => state === 'publishing')
  const left = next ? recordsToPublish(zone, [next.record]) : []
  const say = (text: string) => [`\n${wrapText(text, page.width)}`]
  const waits = !next
    ? []
    : left.length > 0
      ? say(
          `Publish this; ${next.selector} signs once it is seen in DNS. Leave the record of the key before it.`,
        )
      : say(`${next.selector} signs once it is seen in DNS; nothing else is to be done.`)
  return [
    `\n${title(service)}`,
    table,
    ...waits,
    ...(left.length > 0 ? [`\n${pasteForm(left, zone.name)}`] : []),
  ].join('\n')
}
