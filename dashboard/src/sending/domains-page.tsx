import { LinkButton } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { Pagination } from '@cloudflare/kumo/components/pagination'
import { Select } from '@cloudflare/kumo/components/select'
import { Table } from '@cloudflare/kumo/components/table'
import { GlobeIcon, PlusIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import { Asked } from '../parts/asked.tsx'
import { Page, Section } from '../parts/page.tsx'
import { SectionEmpty } from '../parts/section-empty.tsx'
import { DomainRow } from './domain-row.tsx'
import { DOMAINS_SHOWN, isDomainsShown } from './domains-shown.ts'
import { type DomainsSearch, domainsRoute } from './routes.ts'
import { useAccountDomains } from './use-account-domains.ts'

const PER_PAGE = 20

export function DomainsPage() {
  const { accountId } = domainsRoute.useParams()
  const { name, show, page = 1 } = domainsRoute.useSearch()
  const { wish } = DOMAINS_SHOWN[show ?? 'all']
  const domains = useAccountDomains(accountId, { name, ...wish, page, perPage: PER_PAGE })
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
    <Page title="Email Sending" lead="The domains that you send mail from." actions={onboard}>
      <Section title="Domains">
        <Filters />
        <Asked of={domains}>
          {({ result, info }) =>
            result.length === 0 ? (
              <NoDomains accountId={accountId} />
            ) : (
              <>
                <Table layout="fixed">
                  <Table.Header>
                    <Table.Row>
                      <Table.Head className="w-[55%] md:w-[32%]">Domain</Table.Head>
                      <Table.Head>State</Table.Head>
                      <Table.Head className="hidden w-28 md:table-cell">Checked</Table.Head>
                      <Table.Head className="hidden w-36 lg:table-cell">DNS</Table.Head>
                      <Table.Head className="hidden w-28 lg:table-cell">Added</Table.Head>
                    </Table.Row>
                  </Table.Header>
                  <Table.Body>
                    {result.map((entry) => (
                      <DomainRow key={entry.tag ?? entry.zone.id} accountId={accountId} entry={entry} />
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

/** A change begins at the first page again. */
function Filters() {
  const { name = '', show } = domainsRoute.useSearch()
  const navigate = domainsRoute.useNavigate()
  const [written, setWritten] = useState(name)
  const change = (search: DomainsSearch) => void navigate({ search, replace: true })
  return (
    <search className="mb-4 grid gap-3 sm:grid-cols-[minmax(0,1fr)_12rem]">
      <Input
        aria-label="Search domains"
        type="search"
        className="w-full"
        placeholder="Search domains"
        value={written}
        onChange={({ target: { value } }) => {
          setWritten(value)
          const name = value.trim()
          change({ ...(name !== '' && { name }), ...(show && { show }) })
        }}
      />
      <Select
        aria-label="Show"
        className="w-full"
        value={show ?? 'all'}
        items={Object.entries(DOMAINS_SHOWN).map(([value, { label }]) => ({ value, label }))}
        onValueChange={(chosen) =>
          change({ ...(name !== '' && { name }), ...(isDomainsShown(chosen) && { show: chosen }) })
        }
      />
    </search>
  )
}

function NoDomains({ accountId }: { readonly accountId: string }) {
  const { name, show } = domainsRoute.useSearch()
  const icon = <GlobeIcon size={48} aria-hidden />
  if (name !== undefined) {
    return (
      <SectionEmpty
        icon={icon}
        title={`No domain has “${name}” in its name`}
        description={
          show === undefined
            ? 'Another part of the name may find it.'
            : 'Another part of the name may find it, or another choice beside it.'
        }
      />
    )
  }
  if (show === 'attention') return <SectionEmpty icon={icon} title="Nothing needs attention" />
  if (show === 'off') return <SectionEmpty icon={icon} title="Every domain of this account sends" />
  return (
    <SectionEmpty
      icon={icon}
      title={show === undefined ? 'No domain yet' : 'No domain sends yet'}
      description="Onboard a domain of yours: you see its DNS records before anything is written."
      contents={
        <LinkButton variant="primary" href={`/${accountId}/sending/domains/onboard`}>
          Onboard Domain
        </LinkButton>
      }
    />
  )
}
