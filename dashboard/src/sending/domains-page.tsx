import { LinkButton } from '@cloudflare/kumo/components/button'
import { Empty } from '@cloudflare/kumo/components/empty'
import { Input } from '@cloudflare/kumo/components/input'
import { Pagination } from '@cloudflare/kumo/components/pagination'
import { Table } from '@cloudflare/kumo/components/table'
import { GlobeIcon, PlusIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import { Asked } from '../parts/asked.tsx'
import { Page, Section } from '../parts/page.tsx'
import { domainsRoute } from './routes.ts'
import { useZonePage } from './use-zone-page.ts'
import { ZoneRows } from './zone-rows.tsx'

const PER_PAGE = 20

export function DomainsPage() {
  const { accountId } = domainsRoute.useParams()
  const { name, page = 1 } = domainsRoute.useSearch()
  const zones = useZonePage({ accountId, name, page, perPage: PER_PAGE })
  const onboard = (
    <LinkButton
      variant="primary"
      icon={<PlusIcon aria-hidden />}
      href={`/${accountId}/sending/domains/onboard`}
    >
      Onboard Domain
    </LinkButton>
  )
  return (
    <Page title="Sending domains" lead="The domains that you send mail from." actions={onboard}>
      <Section title="Domains" actions={<NameFilter />}>
        <Asked of={zones}>
          {({ result, info }) =>
            result.length === 0 ? (
              <NoDomains name={name} accountId={accountId} />
            ) : (
              <>
                <Table>
                  <Table.Header>
                    <Table.Row>
                      <Table.Head>Domain</Table.Head>
                      <Table.Head>State</Table.Head>
                      <Table.Head className="hidden md:table-cell">DNS</Table.Head>
                      <Table.Head className="hidden md:table-cell">Added</Table.Head>
                    </Table.Row>
                  </Table.Header>
                  <Table.Body>
                    {result.map((zone) => (
                      <ZoneRows key={zone.id} accountId={accountId} zone={zone} />
                    ))}
                  </Table.Body>
                </Table>
                <Pages page={page} total={info?.total_count ?? result.length} />
              </>
            )
          }
        </Asked>
      </Section>
    </Page>
  )
}

function Pages({ page, total }: { readonly page: number; readonly total: number }) {
  const navigate = domainsRoute.useNavigate()
  if (total <= PER_PAGE) return null
  return (
    <div className="mt-4">
      <Pagination
        page={page}
        perPage={PER_PAGE}
        totalCount={total}
        setPage={(page) => void navigate({ search: (before) => ({ ...before, page }) })}
      />
    </div>
  )
}

function NameFilter() {
  const { name = '' } = domainsRoute.useSearch()
  const navigate = domainsRoute.useNavigate()
  const [written, setWritten] = useState(name)
  return (
    <search>
      <Input
        aria-label="Search domains"
        type="search"
        placeholder="Search domains"
        value={written}
        onChange={({ target: { value } }) => {
          setWritten(value)
          const name = value.trim()
          void navigate({ search: name === '' ? {} : { name }, replace: true })
        }}
      />
    </search>
  )
}

function NoDomains({ name, accountId }: { readonly name: string | undefined; readonly accountId: string }) {
  if (name !== undefined) {
    return (
      <Empty
        icon={<GlobeIcon size={48} aria-hidden />}
        title={`No domain has “${name}” in its name`}
        description="Another part of the name may find it."
      />
    )
  }
  return (
    <Empty
      icon={<GlobeIcon size={48} aria-hidden />}
      title="No domain yet"
      description="Onboard a domain of yours: you see its DNS records before anything is written."
      contents={
        <LinkButton variant="primary" href={`/${accountId}/sending/domains/onboard`}>
          Onboard Domain
        </LinkButton>
      }
    />
  )
}
