import { Button, LinkButton } from '@cloudflare/kumo/components/button'
import { DropdownMenu } from '@cloudflare/kumo/components/dropdown'
import { Empty } from '@cloudflare/kumo/components/empty'
import { Switch } from '@cloudflare/kumo/components/switch'
import { ArrowsClockwiseIcon, DownloadSimpleIcon, ListBulletsIcon } from '@phosphor-icons/react'
import { useCallback, useMemo } from 'react'
import { Asked } from '../parts/asked.tsx'
import type { MailDirection } from '../parts/mail-status.ts'
import { Page } from '../parts/page.tsx'
import { RangeSelect } from '../parts/range-select.tsx'
import { RowsSkeleton } from '../parts/rows-skeleton.tsx'
import { ZoneSelect } from '../parts/zone-select.tsx'
import { useAccount } from '../shell/use-account.ts'
import { ActivityFilters } from './activity-filters.tsx'
import { ActivityList } from './activity-list.tsx'
import { DEFAULT_RANGE, FILTER_NAMES, type Log, logPath } from './filters.ts'
import { type ActivitySearch, routingActivityRoute, sendingActivityRoute } from './routes.ts'
import { RowDetails } from './row-details.tsx'
import { useLog } from './use-log.ts'

export function SendingActivityPage() {
  const navigate = sendingActivityRoute.useNavigate()
  const search = sendingActivityRoute.useSearch()
  const onSearch = useCallback(
    (search: ActivitySearch) => void navigate({ search, replace: true, resetScroll: false }),
    [navigate],
  )
  return <Activity direction="sending" search={search} onSearch={onSearch} />
}

export function RoutingActivityPage() {
  const navigate = routingActivityRoute.useNavigate()
  const search = routingActivityRoute.useSearch()
  const onSearch = useCallback(
    (search: ActivitySearch) => void navigate({ search, replace: true, resetScroll: false }),
    [navigate],
  )
  return <Activity direction="routing" search={search} onSearch={onSearch} />
}

interface ActivityProps {
  readonly direction: MailDirection
  readonly search: ActivitySearch
  readonly onSearch: (search: ActivitySearch) => void
}

// observability-logs.md: from 30 minutes to 30 days, or a range.
const LENGTHS = ['30m', '1h', '6h', '24h', '3d', '7d', '14d', '30d']
const LONGEST_MS = 366 * 86_400_000
const TITLE = { sending: 'Email Sending activity log', routing: 'Email Routing activity log' } as const

function Activity({ direction, search, onSearch }: ActivityProps) {
  const { id: accountId } = useAccount()
  const log: Log = { accountId, direction, search }
  const path = logPath(log)
  const live = search.live === true

  function change({
    live,
    latest,
    ...more
  }: {
    live?: boolean
    latest?: boolean
    range?: string
    zone?: string | undefined
  }) {
    const { live: isLive, latest: isLatest, range, zone, ...rest } = { ...search, ...more }
    onSearch({
      ...rest,
      ...(range !== undefined && range !== DEFAULT_RANGE && { range }),
      ...(zone !== undefined && { zone }),
      ...((live ?? isLive) && { live: true }),
      ...((latest ?? isLatest) && { latest: true }),
    })
  }

  return (
    <Page
      title={TITLE[direction]}
      lead="Everything that happened to each email, the newest first."
      actions={
        <>
          <ZoneSelect accountId={accountId} value={search.zone} onChange={(zone) => change({ zone })} />
          <RangeSelect
            value={search.range ?? DEFAULT_RANGE}
            lengths={LENGTHS}
            longestMs={LONGEST_MS}
            onChange={(range) => change({ range })}
          />
          <Export log={log} />
        </>
      }
    >
      <ActivityFilters log={log} onSearch={onSearch} />
      <div className="mb-4 flex flex-wrap items-center gap-x-6 gap-y-2">
        <Switch label="Live" checked={live} onCheckedChange={(live) => change({ live })} />
        <Switch
          label="Only the latest of each recipient"
          checked={search.latest === true}
          onCheckedChange={(latest) => change({ latest })}
        />
      </div>
      {/* Another question is another list, from its top. */}
      <LogRows key={path} log={log} live={live} onSearch={onSearch} />
    </Page>
  )
}

interface LogRowsProps {
  readonly log: Log
  readonly live: boolean
  readonly onSearch: (search: ActivitySearch) => void
}

function LogRows({ log, live, onSearch }: LogRowsProps) {
  const { search, accountId } = log
  const { pages, refresh } = useLog(log, live)
  const { data, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = pages
  const rows = useMemo(() => data?.pages.flatMap(({ rows }) => rows) ?? [], [data])
  const readOn = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage()
  }, [hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage])
  const open = useCallback((id: string) => onSearch({ ...search, open: id }), [onSearch, search])

  function close() {
    const { open: _, ...rest } = search
    onSearch(rest)
  }

  return (
    <Asked of={pages} skeleton={<RowsSkeleton rows={12} />}>
      {() =>
        rows.length === 0 ? (
          <NoRows log={log} onSearch={onSearch} />
        ) : (
          <>
            <div className="mb-2 flex items-center justify-between gap-4 text-sm text-kumo-subtle">
              <span role="status">
                {rows.length.toLocaleString()} {rows.length === 1 ? 'row' : 'rows'}
                {hasNextPage && ' so far'}
              </span>
              {!live && (
                <Button size="sm" variant="ghost" icon={<ArrowsClockwiseIcon />} onClick={refresh}>
                  Refresh
                </Button>
              )}
            </div>
            <ActivityList
              rows={rows}
              accountId={accountId}
              onEnd={readOn}
              onOpen={open}
              end={hasNextPage ? 'Reading on…' : 'That is all in this time range.'}
            />
            {isFetchNextPageError && (
              <div className="mt-3 flex items-center gap-3">
                <span>The rest could not be read.</span>
                <Button size="sm" onClick={() => void fetchNextPage()}>
                  Try again
                </Button>
              </div>
            )}
            <RowDetails row={rows.find(({ id }) => id === search.open)} onClose={close} />
          </>
        )
      }
    </Asked>
  )
}

function NoRows({ log: { search, direction, accountId }, onSearch }: Pick<LogRowsProps, 'log' | 'onSearch'>) {
  const isNarrowed = FILTER_NAMES.some((name) => search[name] !== undefined)
  return (
    <Empty
      icon={<ListBulletsIcon size={48} className="text-kumo-inactive" />}
      title={isNarrowed ? 'Nothing in the log matches' : 'Nothing happened in this time range'}
      description={
        direction === 'sending'
          ? 'An email is in the log about a second after it was sent.'
          : 'An email is in the log about a second after it came in.'
      }
      contents={
        isNarrowed ? (
          <Button onClick={() => onSearch(search.zone === undefined ? {} : { zone: search.zone })}>
            Remove all filters
          </Button>
        ) : direction === 'sending' ? (
          <LinkButton href={`/${accountId}/sending/test`}>Send a test</LinkButton>
        ) : (
          <LinkButton href={`/${accountId}/routing/domains`}>Go to the domains</LinkButton>
        )
      }
    />
  )
}

/** The whole log that the filters ask for, of any length, as the API makes it. */
function Export({ log }: { readonly log: Log }) {
  return (
    <DropdownMenu>
      <DropdownMenu.Trigger render={<Button icon={<DownloadSimpleIcon />}>Export</Button>} />
      <DropdownMenu.Content>
        {(['csv', 'ndjson'] as const).map((format) => (
          <DropdownMenu.LinkItem
            key={format}
            href={logPath(log, { format }, '/export')}
            render={
              <a href={logPath(log, { format }, '/export')} download aria-label={format.toUpperCase()} />
            }
          >
            {format.toUpperCase()}
          </DropdownMenu.LinkItem>
        ))}
      </DropdownMenu.Content>
    </DropdownMenu>
  )
}
