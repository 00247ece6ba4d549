import { LinkButton } from '@cloudflare/kumo/components/button'
import { Empty } from '@cloudflare/kumo/components/empty'
import { Input } from '@cloudflare/kumo/components/input'
import { Link } from '@cloudflare/kumo/components/link'
import { Pagination } from '@cloudflare/kumo/components/pagination'
import { Table } from '@cloudflare/kumo/components/table'
import { PathIcon, PlusIcon } from '@phosphor-icons/react'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import type { AccountRuleResult } from '#contract/rules.ts'
import { useEveryPage } from '../api/ask-every-page.ts'
import { Asked } from '../parts/asked.tsx'
import { Moment } from '../parts/moment.tsx'
import { Page, Section } from '../parts/page.tsx'
import { TableBox } from '../parts/table-box.tsx'
import { useZones } from '../parts/use-zones.ts'
import { useAccount } from '../shell/use-account.ts'
import type { DomainsSearch } from './routes.ts'
import { accountRoutingPath } from './routing-paths.ts'
import { RoutingStatus } from './routing-status.tsx'

/** So many that one looks for a name rather than down the list. */
const MANY = 10
const PER_PAGE = 50

const route = getRouteApi('/signed-in/$accountId/routing/domains')

/** The domains of the account, and whether they take mail. */
export function DomainsPage() {
  const { id } = useAccount()
  const zones = useEveryPage<RoutingSettingsBody>(accountRoutingPath(id, 'zones'))
  const onboard = `/${id}/routing/domains/onboard`
  return (
    <Page
      title="Email Routing"
      lead="Mail to the addresses of your domains: forwarded, processed by a Worker, or dropped."
      actions={
        <LinkButton variant="primary" href={onboard} icon={<PlusIcon />}>
          Onboard Domain
        </LinkButton>
      }
    >
      <Section title="Domains">
        <Asked of={zones}>
          {(all) =>
            all.length === 0 ? (
              <Empty
                icon={<PathIcon size={48} />}
                title="No domain yet"
                description="Onboard a domain: you see the DNS records that it gets before anything is written."
                contents={
                  <LinkButton variant="primary" href={onboard}>
                    Onboard Domain
                  </LinkButton>
                }
              />
            ) : (
              <DomainsTable accountId={id} zones={all} />
            )
          }
        </Asked>
      </Section>
    </Page>
  )
}

function DomainsTable({
  accountId,
  zones,
}: {
  readonly accountId: string
  readonly zones: readonly RoutingSettingsBody[]
}) {
  const { data: rules } = useEveryPage<AccountRuleResult>(accountRoutingPath(accountId, 'rules'))
  const { data: proofs } = useZones(accountId)
  const { name: part = '', page: asked = 1 } = route.useSearch()
  const navigate = route.useNavigate()
  const [wanted, setWanted] = useState(part)
  const found = zones.filter(({ name }) => name.includes(part.toLowerCase()))
  const page = Math.min(asked, Math.max(1, Math.ceil(found.length / PER_PAGE)))
  const shown = found.slice((page - 1) * PER_PAGE, page * PER_PAGE)
  const show = (search: DomainsSearch, isStep = false) => void navigate({ search, replace: !isStep })
  const isPending = (zoneId: string) => proofs?.find(({ id }) => id === zoneId)?.status === 'pending'
  const count = (zoneId: string) => rules?.filter(({ zone }) => zone.tag === zoneId).length
  return (
    <>
      {zones.length > MANY && (
        <div className="mb-4 max-w-sm">
          <Input
            className="w-full"
            type="search"
            aria-label="Search domains"
            placeholder="Search domains"
            value={wanted}
            onChange={({ target: { value } }) => {
              setWanted(value)
              // A change begins at the first page again.
              show(value.trim() === '' ? {} : { name: value.trim() })
            }}
          />
        </div>
      )}
      <TableBox label="Domains">
        <Table>
          <Table.Header>
            <Table.Row>
              <Table.Head>Domain</Table.Head>
              <Table.Head>Status</Table.Head>
              <Table.Head className="hidden md:table-cell">Rules</Table.Head>
              <Table.Head className="hidden md:table-cell">Changed</Table.Head>
            </Table.Row>
          </Table.Header>
          <Table.Body>
            {shown.map((zone) => (
              <Table.Row key={zone.id}>
                <Table.Cell className="[overflow-wrap:anywhere]">
                  <Link href={`/${accountId}/routing/domains/${zone.id}`}>{zone.name}</Link>
                </Table.Cell>
                <Table.Cell>
                  <span className="flex flex-col items-start gap-x-3 gap-y-1 md:flex-row md:items-center">
                    <RoutingStatus zoneId={zone.id} settings={zone} isPending={isPending(zone.id)} />
                    {!zone.enabled && (
                      <Onboard accountId={accountId} zone={zone} isPending={isPending(zone.id)} />
                    )}
                  </span>
                </Table.Cell>
                <Table.Cell className="hidden md:table-cell">{count(zone.id)}</Table.Cell>
                <Table.Cell className="hidden md:table-cell">
                  {zone.enabled && <Moment at={zone.modified} ago />}
                </Table.Cell>
              </Table.Row>
            ))}
          </Table.Body>
        </Table>
      </TableBox>
      {found.length > PER_PAGE && (
        <div className="mt-4">
          <Pagination
            page={page}
            perPage={PER_PAGE}
            totalCount={found.length}
            setPage={(page) => show({ ...(part !== '' && { name: part }), ...(page > 1 && { page }) }, true)}
          />
        </div>
      )}
      {shown.length === 0 && <p className="mt-4 text-kumo-subtle">No domain has that in its name.</p>}
    </>
  )
}

interface OnboardProps {
  readonly accountId: string
  readonly zone: RoutingSettingsBody
  readonly isPending: boolean
}

function Onboard({ accountId, zone: { id, name }, isPending }: OnboardProps) {
  return (
    <Link
      href={`/${accountId}/routing/domains/onboard?zone=${id}`}
      aria-label={isPending ? `Prove ownership of ${name}` : `Onboard ${name}`}
    >
      {isPending ? 'Prove ownership' : 'Onboard'}
    </Link>
  )
}
