import type { ZoneBody } from '#contract/zones.ts'
import type { ZoneDetail } from './find-domain.ts'
import type { Page } from './page.ts'
import { roadOf } from './records-to-publish.ts'
import { fromNow, plain, textTable } from './text-table.ts'
import { wrapText } from './wrap-text.ts'

export function zonesText(zones: readonly ZoneBody[], page: Page): string {
  if (zones.length === 0) return 'No zone. "posthorn zones create" makes one.'
  const several = new Set(zones.map(({ account }) => account.id)).size > 1
  return textTable(
    ['ZONE', 'STATUS', 'RECORDS', 'MADE', 'ID', ...(several ? ['ACCOUNT'] : [])],
    zones.map((zone) => [
      zone.name,
      zone.status,
      roadOf(zone),
      fromNow(zone.created_on, page.now),
      zone.id,
      ...(several ? [zone.account.name] : []),
    ]),
    page.width,
  )
}

/** Where a zone stands, and what its owner is to do next. */
export function zoneText(zone: ZoneDetail, page: Page): string {
  const say = (text: string) => wrapText(plain(text), page.width)
  return (zone.status === 'active' ? activeLines(zone, say) : pendingLines(zone, say)).join('\n')
}

type Say = (text: string) => string

function activeLines(zone: ZoneDetail, say: Say): string[] {
  const head = `${zone.name} is active.`
  const next = `\nNext: posthorn domains onboard ${zone.name}`
  const names = zone.delegated_names
  if (roadOf(zone) === 'by hand') return [`${head} Its records are published by hand.`, next]
  if (roadOf(zone) === 'hosted')
    return [
      `${head} It is hosted here, once its registrar delegates it to`,
      ...zone.name_servers.map(indented),
      next,
    ]
  if (names.length === 0)
    return [
      say(
        `${head} Its DNS stays elsewhere; the names for mail are delegated here, and come with its domains.`,
      ),
      next,
    ]
  return [
    say(`${head} Its DNS stays elsewhere, once these names are delegated here:`),
    ...names.map(indented),
    'each to',
    ...zone.name_servers.map(indented),
  ]
}

function pendingLines(zone: ZoneDetail, say: Say): string[] {
  const { record, problem } = zone.verification
  return [
    say(`${zone.name} is pending: it neither sends nor takes mail until DNS proves whose it is.`),
    ...(problem === null ? [] : [`\n${say(problem)}`]),
    '\nPublish this record:\n',
    ...[`Type   ${record.type}`, `Name   ${record.name}`, `Value  ${record.content}`].map(plain),
    ...(roadOf(zone) === 'hosted'
      ? ['\nor delegate the zone, at its registrar, to\n', ...zone.name_servers.map(indented)]
      : []),
    `\nThen: posthorn zones check ${zone.name} --wait 1h`,
  ]
}

function indented(text: string): string {
  return `  ${plain(text)}`
}
