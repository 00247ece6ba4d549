import { Button } from '@cloudflare/kumo/components/button'
import { Checkbox } from '@cloudflare/kumo/components/checkbox'
import { Input } from '@cloudflare/kumo/components/input'
import { keepPreviousData, useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useDeferredValue, useEffect, useState } from 'react'
import { askPlain, withQuery } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Page } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { RowsSkeleton } from '../parts/rows-skeleton.tsx'
import { INBOX, type InboxListing } from './inbox-message.ts'
import { InboxRow } from './inbox-row.tsx'
import { NothingArrived } from './nothing-arrived.tsx'
import { SimulatorAddresses } from './simulator-addresses.tsx'

const route = getRouteApi('/signed-in/inbox')
const PAGE = 50

/** All mail of a development instance: it goes nowhere but here. New mail appears by itself. */
export function InboxPage() {
  const { query = '' } = route.useSearch()
  const navigate = route.useNavigate()
  const client = useQueryClient()
  const [written, setWritten] = useState(query)
  const wanted = useDeferredValue(written.trim())
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const [deleting, setDeleting] = useState<'selected' | 'all'>()

  useEffect(() => {
    void navigate({ search: wanted === '' ? {} : { query: wanted }, replace: true })
  }, [wanted, navigate])

  const listing = useInfiniteQuery({
    queryKey: ['inbox', 'list', query],
    initialPageParam: 0,
    queryFn: ({ pageParam, signal }) =>
      askPlain<InboxListing>(
        query === ''
          ? withQuery(`${INBOX}/messages`, { start: pageParam, limit: PAGE })
          : withQuery(`${INBOX}/search`, { query, start: pageParam, limit: PAGE }),
        { signal },
      ),
    getNextPageParam: ({ messages_count }, pages) => {
      const shown = pages.reduce((sum, { messages }) => sum + messages.length, 0)
      return shown < messages_count && shown > 0 ? shown : undefined
    },
    placeholderData: keepPreviousData,
    refetchInterval: 2000,
  })
  const messages = listing.data?.pages.flatMap(({ messages }) => messages)
  const count = listing.data?.pages[0]?.messages_count ?? 0

  function select(id: string, isSelected: boolean) {
    const next = new Set(selected)
    if (isSelected) next.add(id)
    else next.delete(id)
    setSelected(next)
  }

  async function remove() {
    // No ids stand for all messages.
    const body = deleting === 'all' ? {} : { IDs: [...selected] }
    await askPlain(`${INBOX}/messages`, { method: 'DELETE', body })
    setSelected(new Set())
    await client.invalidateQueries({ queryKey: ['inbox'] })
  }

  return (
    <Page
      title="Inbox"
      lead="Everything that this development instance delivers lands here. Nothing leaves the machine."
      actions={
        <>
          {selected.size > 0 && (
            <Button variant="secondary-destructive" onClick={() => setDeleting('selected')}>
              Delete {selected.size} selected
            </Button>
          )}
          {count > 0 && (
            <Button variant="secondary-destructive" onClick={() => setDeleting('all')}>
              Delete all
            </Button>
          )}
        </>
      }
    >
      <div className="mb-4">
        <Input
          aria-label="Search the inbox"
          className="w-full"
          placeholder="Search: words, from:, to:, subject:, recipient:, is:unread"
          type="search"
          value={written}
          onChange={(event) => setWritten(event.target.value)}
        />
      </div>
      {listing.error && <ProblemNote className="mb-4">{problemText(listing.error)}</ProblemNote>}
      {messages === undefined && !listing.error && <RowsSkeleton rows={8} />}
      {messages?.length === 0 && <NothingArrived isSearch={query !== ''} />}
      {messages !== undefined && messages.length > 0 && (
        <section aria-label="Messages" className="rounded-xl border border-kumo-hairline bg-kumo-base">
          <div className="flex items-center gap-3 border-b border-kumo-hairline px-4 py-2 text-sm text-kumo-subtle">
            <Checkbox
              aria-label="Select all that are shown"
              checked={messages.every(({ ID }) => selected.has(ID))}
              indeterminate={selected.size > 0 && !messages.every(({ ID }) => selected.has(ID))}
              onCheckedChange={(all) => setSelected(new Set(all ? messages.map(({ ID }) => ID) : []))}
            />
            <span aria-live="polite">
              {count} {count === 1 ? 'message' : 'messages'}
              {query !== '' && ' found'}
            </span>
          </div>
          <ul className="divide-y divide-kumo-hairline">
            {messages.map((message) => (
              <InboxRow
                key={message.ID}
                message={message}
                isSelected={selected.has(message.ID)}
                onSelect={(isSelected) => select(message.ID, isSelected)}
              />
            ))}
          </ul>
        </section>
      )}
      {listing.hasNextPage && (
        <Button
          className="mt-4"
          loading={listing.isFetchingNextPage}
          onClick={() => void listing.fetchNextPage()}
        >
          Show more
        </Button>
      )}
      <div className="mt-6">
        <SimulatorAddresses />
      </div>
      <ConfirmDialog
        open={deleting !== undefined}
        onOpenChange={() => setDeleting(undefined)}
        title={deleting === 'all' ? 'Delete every message?' : `Delete ${selected.size} messages?`}
        action={deleting === 'all' ? 'Delete all' : 'Delete'}
        onConfirm={remove}
      >
        They are gone from the inbox for good. The activity log keeps what happened to them.
      </ConfirmDialog>
    </Page>
  )
}
