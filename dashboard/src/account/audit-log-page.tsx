import { Button, LinkButton } from '@cloudflare/kumo/components/button'
import { ClockCounterClockwiseIcon, DownloadSimpleIcon } from '@phosphor-icons/react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import type { AuditLogBody } from '#contract/audit-logs.ts'
import type { TokenBody } from '#contract/tokens.ts'
import { accountPath, askWhole, withQuery } from '../api/ask.ts'
import { useEveryPage } from '../api/ask-every-page.ts'
import { problemText } from '../api/problem.ts'
import { queryKey } from '../api/use-ask.ts'
import { Page, Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { RowsSkeleton } from '../parts/rows-skeleton.tsx'
import { SectionEmpty } from '../parts/section-empty.tsx'
import { useAccount } from '../shell/use-account.ts'
import { AdministratorsOnly } from './administrators-only.tsx'
import { AuditEntry } from './audit-entry.tsx'
import { AuditFilters } from './audit-filters.tsx'

const route = getRouteApi('/signed-in/$accountId/account/audit-log')

/** Who changed what in the account, when and from where. */
export function AuditLogPage() {
  return (
    <AdministratorsOnly title="Audit log" what="who changed what in it">
      <AuditLog />
    </AdministratorsOnly>
  )
}

function AuditLog() {
  const { id } = useAccount()
  const search = route.useSearch()
  const { action, email, since, before } = search
  const navigate = route.useNavigate()
  const filters = { 'action.type': action, 'actor.email': email, since, before }
  const path = withQuery(accountPath(id, 'audit_logs'), { ...filters, per_page: 50 })
  const log = useInfiniteQuery({
    queryKey: [...queryKey(path), 'pages'],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      askWhole<readonly AuditLogBody[]>(
        pageParam === '' ? path : `${path}&cursor=${encodeURIComponent(pageParam)}`,
        {
          signal,
        },
      ),
    getNextPageParam: ({ info }) => info?.cursor ?? info?.next_cursor ?? undefined,
  })
  const isNarrowed = Object.values(filters).some((filter) => filter !== undefined)
  const entries = log.data?.pages.flatMap(({ result }) => result)

  const authors = entries?.flatMap(({ metadata }) => metadata['token_id'] ?? []) ?? []
  const { data: tokens } = useEveryPage<TokenBody>(`${accountPath(id, 'tokens')}?include_expired=true`, {
    enabled: authors.length > 0,
  })

  return (
    <Page
      title="Audit log"
      lead="Every change of the configuration, the latest first."
      actions={
        <>
          <LinkButton
            variant="secondary"
            icon={<DownloadSimpleIcon aria-hidden />}
            href={withQuery(accountPath(id, 'audit_logs', 'export'), { ...filters, format: 'csv' })}
            download="audit-log.csv"
          >
            Export CSV
          </LinkButton>
          <LinkButton
            variant="secondary"
            icon={<DownloadSimpleIcon aria-hidden />}
            href={withQuery(accountPath(id, 'audit_logs', 'export'), { ...filters, format: 'ndjson' })}
            download="audit-log.ndjson"
          >
            Export NDJSON
          </LinkButton>
        </>
      }
    >
      <Section title="Changes">
        <AuditFilters key={path} search={search} onSearch={(search) => void navigate({ search })} />
        {log.error && <ProblemNote>{problemText(log.error)}</ProblemNote>}
        {entries === undefined && !log.error && <RowsSkeleton />}
        {entries?.length === 0 && (
          <SectionEmpty
            icon={<ClockCounterClockwiseIcon size={48} />}
            title={isNarrowed ? 'No such change' : 'No change yet'}
            description={
              isNarrowed
                ? 'None that these filters let through. Widen them to see more.'
                : 'Whatever somebody changes in this account is noted here.'
            }
          />
        )}
        <ul className="divide-y divide-kumo-hairline">
          {entries?.map((entry) => (
            <li key={entry.id}>
              <AuditEntry entry={entry} tokens={tokens} />
            </li>
          ))}
        </ul>
        {log.hasNextPage && (
          <Button className="mt-4" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
            Show more
          </Button>
        )}
      </Section>
    </Page>
  )
}
