import { Link } from '@cloudflare/kumo/components/link'
import { Table } from '@cloudflare/kumo/components/table'
import type { AccountDomainBody } from '#contract/account-domains.ts'
import { Moment } from '../parts/moment.tsx'
import { rateWord } from './deliverability-words.ts'
import { ListedStateBadge } from './listed-state-badge.tsx'

interface DomainRowProps {
  readonly accountId: string
  readonly entry: AccountDomainBody
}

/** A domain that sends, or a zone of which none does. */
export function DomainRow({ accountId, entry }: DomainRowProps) {
  const { tag, name, zone, checked, created, problems } = entry
  const base = `/${accountId}/sending/domains`
  const onboard = `${base}/onboard?domain=${encodeURIComponent(name)}`
  const isPending = zone.status === 'pending'
  return (
    <Table.Row>
      <Table.Cell className="text-sm font-medium wrap-anywhere md:text-base">
        <Link href={tag === null || isPending ? onboard : `${base}/${zone.id}/${tag}`}>{name}</Link>
      </Table.Cell>
      <Table.Cell>
        <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <ListedStateBadge entry={entry} />
          {isPending ? (
            <Link href={onboard}>Prove ownership</Link>
          ) : (
            tag === null && <Link href={onboard}>Onboard</Link>
          )}
          {problems?.map((problem) => (
            <span key={problem} className="text-kumo-danger">
              {rateWord(problem)}
            </span>
          ))}
        </span>
      </Table.Cell>
      <Table.Cell className="hidden md:table-cell">
        {checked !== null && <Moment at={checked} ago />}
      </Table.Cell>
      <Table.Cell className="hidden lg:table-cell">{dnsWord(zone)}</Table.Cell>
      <Table.Cell className="hidden lg:table-cell">
        <Moment at={created} ago />
      </Table.Cell>
    </Table.Row>
  )
}

function dnsWord({ type, dns }: AccountDomainBody['zone']): string {
  if (dns === 'manual') return 'Copied by hand'
  return type === 'full' ? 'Hosted here' : 'Mail names hosted here'
}
