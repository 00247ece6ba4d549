import { Badge } from '@cloudflare/kumo/components/badge'
import { Button } from '@cloudflare/kumo/components/button'
import { Select } from '@cloudflare/kumo/components/select'
import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import type { WebhookDeliveryBody } from '#contract/webhooks.ts'
import { askWhole, withQuery } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { queryKey } from '../api/use-ask.ts'
import { type Column, FoldingTable } from '../parts/folding-table.tsx'
import { Moment } from '../parts/moment.tsx'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { RowsSkeleton } from '../parts/rows-skeleton.tsx'
import { WebhookDelivery } from './webhook-delivery.tsx'

const route = getRouteApi('/signed-in/$accountId/account/webhooks/$webhookId')
const STATUSES = {
  all: 'Every state',
  pending: 'Waiting',
  delivered: 'Delivered',
  failed: 'Failed',
  expired: 'Expired',
}
const COLOURS = { pending: 'warning', delivered: 'success', failed: 'error', expired: 'error' } as const

const COLUMNS: readonly Column<WebhookDeliveryBody>[] = [
  { head: 'State', renderCell: ({ status }) => <Badge variant={COLOURS[status]}>{STATUSES[status]}</Badge> },
  { head: 'Attempts', renderCell: ({ attempts }) => attempts },
  { head: 'Answer', renderCell: ({ last_status: status, last_error: error }) => status ?? error ?? '' },
  { head: 'Happened', renderCell: ({ event_at: at }) => <Moment at={at} ago /> },
]

/** What a webhook was told and is to be: a week of it. */
export function WebhookDeliveries({ path }: { readonly path: string }) {
  const { status } = route.useSearch()
  const navigate = route.useNavigate()
  const [opened, setOpened] = useState<string>()
  const listed = withQuery(`${path}/deliveries`, { status, per_page: 50 })
  const log = useInfiniteQuery({
    queryKey: [...queryKey(`${path}/deliveries`), status ?? 'all'],
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      askWhole<readonly WebhookDeliveryBody[]>(
        pageParam === '' ? listed : `${listed}&cursor=${encodeURIComponent(pageParam)}`,
        { signal },
      ),
    getNextPageParam: ({ info }) => info?.cursor ?? undefined,
    refetchInterval: 2000,
  })
  const deliveries = log.data?.pages.flatMap(({ result }) => result)
  return (
    <Section
      title="Delivery log"
      lead="The newest event first; a week of it."
      actions={
        <Select
          aria-label="State"
          value={status ?? 'all'}
          items={STATUSES}
          onValueChange={(status) =>
            void navigate({ search: status === null || status === 'all' ? {} : { status }, replace: true })
          }
        />
      }
    >
      {log.error && <ProblemNote>{problemText(log.error)}</ProblemNote>}
      {deliveries === undefined && !log.error && <RowsSkeleton />}
      {deliveries?.length === 0 && <p className="text-kumo-subtle">Nothing yet. Send a test to see one.</p>}
      {deliveries !== undefined && deliveries.length > 0 && (
        <FoldingTable
          label="Deliveries"
          rows={deliveries}
          rowKey={({ id }) => id}
          columns={[
            {
              head: 'Event',
              renderCell: ({ id, type }) => (
                <Button variant="ghost" size="sm" className="-ml-2" onClick={() => setOpened(id)}>
                  {type}
                </Button>
              ),
            },
            ...COLUMNS,
          ]}
        />
      )}
      {log.hasNextPage && (
        <Button className="mt-4" loading={log.isFetchingNextPage} onClick={() => void log.fetchNextPage()}>
          Show more
        </Button>
      )}
      {opened !== undefined && (
        <WebhookDelivery path={path} id={opened} onClose={() => setOpened(undefined)} />
      )}
    </Section>
  )
}
