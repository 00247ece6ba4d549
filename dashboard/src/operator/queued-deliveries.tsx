import { Badge } from '@cloudflare/kumo/components/badge'
import { Button } from '@cloudflare/kumo/components/button'
import { DropdownMenu } from '@cloudflare/kumo/components/dropdown'
import { Input } from '@cloudflare/kumo/components/input'
import { Select } from '@cloudflare/kumo/components/select'
import { CheckCircleIcon, DotsThreeIcon } from '@phosphor-icons/react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import type { QueueAction, QueuedDelivery } from '#contract/operator.ts'
import { ask, askWhole, withQuery } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { queryKey, useAct } from '../api/use-ask.ts'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { fieldText } from '../parts/field-text.ts'
import { type Column, FoldingTable } from '../parts/folding-table.tsx'
import { Moment } from '../parts/moment.tsx'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { RowsSkeleton } from '../parts/rows-skeleton.tsx'
import { SectionEmpty } from '../parts/section-empty.tsx'
import { OPERATOR } from './operator-path.ts'

const route = getRouteApi('/signed-in/installation/queue')
const STATES = { all: 'Every state', waiting: 'Waiting', claimed: 'Being delivered', held: 'Held' }
/** One that was settled since has left the queue. */
const WORDS: Readonly<Partial<Record<QueuedDelivery['state'], string>>> = STATES
const ENDING = {
  cancel: 'The recipient gets nothing, and nobody is told.',
  expire: 'It ends as if its time were over: the sender is told that it could not be delivered.',
} as const

/** What is longer than this is broken, and before its domain where that is enough. */
const WRAPPED = 'min-w-44 wrap-anywhere'

const COLUMNS: readonly Column<QueuedDelivery>[] = [
  { head: 'Recipient', renderCell: ({ to }) => <Address of={to} />, className: WRAPPED },
  {
    head: 'From',
    renderCell: ({ from }) => (from === '' ? 'No sender (<>)' : <Address of={from} />),
    className: WRAPPED,
  },
  {
    head: 'State',
    renderCell: ({ state }) => (
      <Badge variant={state === 'held' ? 'warning' : 'secondary'}>{WORDS[state] ?? state}</Badge>
    ),
  },
  { head: 'Attempts', renderCell: ({ attempts }) => attempts },
  {
    head: 'Last reply',
    renderCell: ({ last_reply: reply }) =>
      reply !== null && (
        <span className="line-clamp-2 min-w-32" title={reply}>
          {reply}
        </span>
      ),
  },
  { head: 'Expires', renderCell: ({ expires_at: at }) => <Moment at={at} ago /> },
]

/** One by one, what expires first coming first. */
export function QueuedDeliveries() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const [ending, setEnding] = useState<{ readonly act: keyof typeof ENDING; readonly of: QueuedDelivery }>()
  const path = withQuery(`${OPERATOR}/deliveries`, { ...search, per_page: 50 })
  const queued = useInfiniteQuery({
    queryKey: queryKey(path),
    initialPageParam: '',
    queryFn: ({ pageParam, signal }) =>
      askWhole<readonly QueuedDelivery[]>(
        pageParam === '' ? path : `${path}&cursor=${encodeURIComponent(pageParam)}`,
        { signal },
      ),
    getNextPageParam: ({ info }) => info?.cursor ?? undefined,
    refetchInterval: 3000,
  })
  const act = useAct(
    ({ action, id }: { readonly action: QueueAction; readonly id: string }) =>
      ask(`${OPERATOR}/deliveries/${action}`, { method: 'POST', body: { ids: [id] } }),
    [OPERATOR],
  )
  const deliveries = queued.data?.pages.flatMap(({ result }) => result)

  function filter(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const domain = fieldText(new FormData(event.currentTarget), 'domain')
    void navigate({
      search: { ...(search.state && { state: search.state }), ...(domain !== '' && { domain }) },
    })
  }

  return (
    <Section title="Deliveries" lead="What expires first comes first.">
      <form key={path} className="mb-4 flex flex-wrap items-end gap-3" onSubmit={filter}>
        <Input
          label="Recipient domain"
          name="domain"
          placeholder="example.com"
          defaultValue={search.domain}
        />
        <Select
          label="State"
          hideLabel={false}
          value={search.state ?? 'all'}
          items={STATES}
          onValueChange={(state) =>
            void navigate({
              search: {
                ...(search.domain !== undefined && { domain: search.domain }),
                ...(state !== null && state !== 'all' && { state: state as QueuedState }),
              },
            })
          }
        />
        <Button type="submit">Search</Button>
      </form>
      {(queued.error ?? act.error) && (
        <ProblemNote className="mb-4">{problemText(queued.error ?? act.error)}</ProblemNote>
      )}
      {deliveries === undefined && !queued.error && <RowsSkeleton />}
      {deliveries?.length === 0 && (
        <SectionEmpty
          icon={<CheckCircleIcon size={48} />}
          title="Nothing waits"
          description="All mail is settled."
        />
      )}
      {deliveries !== undefined && deliveries.length > 0 && (
        <FoldingTable
          label="Deliveries"
          rows={deliveries}
          rowKey={({ id }) => id}
          columns={[
            ...COLUMNS,
            {
              head: 'Actions',
              isActions: true,
              renderCell: (delivery) => (
                <DeliveryMenu
                  delivery={delivery}
                  onAct={(action) => act.mutate({ action, id: delivery.id })}
                  onEnd={(act) => setEnding({ act, of: delivery })}
                />
              ),
            },
          ]}
        />
      )}
      {queued.hasNextPage && (
        <Button
          className="mt-4"
          loading={queued.isFetchingNextPage}
          onClick={() => void queued.fetchNextPage()}
        >
          Show more
        </Button>
      )}
      <ConfirmDialog
        open={ending !== undefined}
        onOpenChange={() => setEnding(undefined)}
        title={`${ending?.act === 'cancel' ? 'Cancel' : 'Expire'} the mail to ${ending?.of.to}?`}
        action={ending?.act === 'cancel' ? 'Cancel the delivery' : 'Expire the delivery'}
        onConfirm={async () => ending && act.mutateAsync({ action: ending.act, id: ending.of.id })}
      >
        {ending && ENDING[ending.act]} This cannot be undone.
      </ConfirmDialog>
    </Section>
  )
}

function Address({ of: address }: { readonly of: string }) {
  const domain = address.lastIndexOf('@') + 1
  return (
    <>
      {address.slice(0, domain)}
      <wbr />
      {address.slice(domain)}
    </>
  )
}

interface DeliveryMenuProps {
  readonly delivery: QueuedDelivery
  readonly onAct: (action: QueueAction) => void
  /** Asks first. */
  readonly onEnd: (act: keyof typeof ENDING) => void
}

function DeliveryMenu({ delivery: { to, state }, onAct, onEnd }: DeliveryMenuProps) {
  return (
    <DropdownMenu>
      <DropdownMenu.Trigger
        render={
          <Button
            variant="ghost"
            shape="square"
            icon={<DotsThreeIcon />}
            aria-label={`Actions for the mail to ${to}`}
          />
        }
      />
      <DropdownMenu.Content>
        <DropdownMenu.Item onClick={() => onAct('retry')}>Retry now</DropdownMenu.Item>
        {state === 'held' ? (
          <DropdownMenu.Item onClick={() => onAct('release')}>Release</DropdownMenu.Item>
        ) : (
          <DropdownMenu.Item onClick={() => onAct('hold')}>Hold</DropdownMenu.Item>
        )}
        <DropdownMenu.Separator />
        <DropdownMenu.Item variant="danger" onClick={() => onEnd('expire')}>
          Expire
        </DropdownMenu.Item>
        <DropdownMenu.Item variant="danger" onClick={() => onEnd('cancel')}>
          Cancel
        </DropdownMenu.Item>
      </DropdownMenu.Content>
    </DropdownMenu>
  )
}

type QueuedState = 'waiting' | 'claimed' | 'held'
