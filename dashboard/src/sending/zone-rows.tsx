import { Link } from '@cloudflare/kumo/components/link'
import { SkeletonLine } from '@cloudflare/kumo/components/loader'
import { Table } from '@cloudflare/kumo/components/table'
import type { ReactNode } from 'react'
import type { SendingSubdomainBody } from '#contract/sending-subdomains.ts'
import type { ZoneBody } from '#contract/zones.ts'
import { problemText } from '../api/problem.ts'
import { useAsk } from '../api/use-ask.ts'
import { Moment } from '../parts/moment.tsx'
import { DomainStateBadge, stateOf } from './domain-state.tsx'
import { sendingDomainPath, useDomainStatus } from './use-domain-status.ts'

interface ZoneRowsProps {
  readonly accountId: string
  readonly zone: ZoneBody
}

/** A row for each domain of a zone that sends; one for the zone where none does. */
export function ZoneRows({ accountId, zone }: ZoneRowsProps) {
  const { data, error } = useAsk<SendingSubdomainBody[]>(sendingDomainPath(zone.id))
  const sending = data?.filter(({ enabled }) => enabled)
  const onboard = `/${accountId}/sending/domains/onboard?domain=${encodeURIComponent(zone.name)}`
  if (zone.status === 'pending') {
    return (
      <DomainRow
        zone={zone}
        name={zone.name}
        href={onboard}
        state={<DomainStateBadge state="pending" />}
        next={<Link href={onboard}>Prove ownership</Link>}
        created={zone.created_on}
      />
    )
  }
  if (sending === undefined) {
    const state = error ? problemText(error) : <SkeletonLine minWidth={60} maxWidth={80} />
    return <DomainRow zone={zone} name={zone.name} state={state} created={zone.created_on} />
  }
  if (sending.length === 0) {
    return (
      <DomainRow
        zone={zone}
        name={zone.name}
        href={onboard}
        state={<DomainStateBadge state="off" />}
        next={<Link href={onboard}>Onboard</Link>}
        created={zone.created_on}
      />
    )
  }
  return sending.map(({ tag, name, created }) => (
    <DomainRow
      key={tag}
      zone={zone}
      name={name}
      href={`/${accountId}/sending/domains/${zone.id}/${tag}`}
      state={<CheckedState zoneId={zone.id} domainId={tag} />}
      created={created}
    />
  ))
}

interface DomainRowProps {
  readonly zone: ZoneBody
  readonly name: string
  readonly href?: string
  readonly state: ReactNode
  readonly next?: ReactNode
  readonly created: string
}

function DomainRow({ zone, name, href, state, next, created }: DomainRowProps) {
  return (
    <Table.Row>
      <Table.Cell className="font-medium">
        {href === undefined ? name : <Link href={href}>{name}</Link>}
      </Table.Cell>
      <Table.Cell>
        <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
          {state}
          {next}
        </span>
      </Table.Cell>
      <Table.Cell className="hidden md:table-cell">{dnsWord(zone)}</Table.Cell>
      <Table.Cell className="hidden md:table-cell">
        <Moment at={created} ago />
      </Table.Cell>
    </Table.Row>
  )
}

function CheckedState({ zoneId, domainId }: { readonly zoneId: string; readonly domainId: string }) {
  const { data, error } = useDomainStatus(zoneId, domainId)
  if (data) return <DomainStateBadge state={stateOf(data)} />
  return error ? problemText(error) : <SkeletonLine minWidth={60} maxWidth={80} />
}

function dnsWord({ type, dns }: ZoneBody): string {
  if (dns === 'manual') return 'Copied by hand'
  return type === 'full' ? 'Hosted here' : 'Mail names hosted here'
}
