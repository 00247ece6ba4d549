import { Badge } from '@cloudflare/kumo/components/badge'
import { Button } from '@cloudflare/kumo/components/button'
import { Table } from '@cloudflare/kumo/components/table'
import { ProhibitIcon, TrashIcon } from '@phosphor-icons/react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { SuppressionBody } from '#contract/suppressions.ts'
import { askWhole, withQuery } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { queryKey } from '../api/use-ask.ts'
import { Moment } from '../parts/moment.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { RowsSkeleton } from '../parts/rows-skeleton.tsx'
import { SectionEmpty } from '../parts/section-empty.tsx'
import { DeleteSuppression } from './delete-suppression.tsx'
import { EditSuppression } from './edit-suppression.tsx'
import type { SuppressionsSearch } from './routes.ts'
import { suppressionQuery } from './suppression-query.ts'
import { REASONS } from './suppression-reasons.ts'

const PER_PAGE = 50

interface SuppressionListProps {
  readonly path: string
  readonly filters: SuppressionsSearch
  readonly onAdd: () => void
}

export function SuppressionList({ path, filters, onAdd }: SuppressionListProps) {
  const [edited, setEdited] = useState<SuppressionBody>()
  const [deleted, setDeleted] = useState<SuppressionBody>()
  const first = withQuery(path, { ...suppressionQuery(filters), per_page: PER_PAGE })
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: [...queryKey(first), 'pages'],
    // The cursor carries the filters.
    queryFn: ({ pageParam, signal }) =>
      askWhole<readonly SuppressionBody[]>(
        pageParam === null ? first : withQuery(path, { cursor: pageParam, per_page: PER_PAGE }),
        { signal },
      ),
    initialPageParam: null as string | null,
    getNextPageParam: ({ info }) => info?.cursor ?? undefined,
  })
  if (error) return <ProblemNote>{problemText(error)}</ProblemNote>
  if (!data) return <RowsSkeleton />
  const entries = data.pages.flatMap(({ result }) => result)
  const isFiltered = Object.values(filters).some((filter) => filter !== undefined)
  if (entries.length === 0) return <Nobody filtered={isFiltered} onAdd={onAdd} />
  return (
    <>
      <Table>
        <Table.Header>
          <Table.Row>
            <Table.Head>Address</Table.Head>
            <Table.Head className="hidden md:table-cell">Reason</Table.Head>
            <Table.Head className="hidden lg:table-cell">Scope</Table.Head>
            <Table.Head className="hidden md:table-cell">Expires</Table.Head>
            <Table.Head className="hidden md:table-cell">Added</Table.Head>
            <Table.Head>
              <span className="sr-only">Actions</span>
            </Table.Head>
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {entries.map((entry) => (
            <SuppressionRow key={entry.id} entry={entry} onEdit={setEdited} onDelete={setDeleted} />
          ))}
        </Table.Body>
      </Table>
      {hasNextPage && (
        <div className="mt-4 flex justify-center">
          <Button loading={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            Show more
          </Button>
        </div>
      )}
      {edited && <EditSuppression path={path} entry={edited} onClose={() => setEdited(undefined)} />}
      <DeleteSuppression path={path} entry={deleted} onClose={() => setDeleted(undefined)} />
    </>
  )
}

interface RowProps {
  readonly entry: SuppressionBody
  readonly onEdit: (entry: SuppressionBody) => void
  readonly onDelete: (entry: SuppressionBody) => void
}

function SuppressionRow({ entry, onEdit, onDelete }: RowProps) {
  const { email, reason, scope, expires_at: expires, created_at: created, read_only: isReadOnly } = entry
  return (
    <Table.Row>
      <Table.Cell>
        <button
          type="button"
          className="cursor-pointer rounded text-left break-all text-kumo-link underline underline-offset-2"
          onClick={() => onEdit(entry)}
        >
          {email}
        </button>
        <span className="flex flex-wrap items-center gap-2 text-sm text-kumo-subtle md:hidden">
          <ReasonBadge reason={reason} />
          {expires === null ? 'for good' : <Expiry at={expires} />}
        </span>
      </Table.Cell>
      <Table.Cell className="hidden md:table-cell">
        <ReasonBadge reason={reason} />
      </Table.Cell>
      <Table.Cell className="hidden lg:table-cell">
        {scope.type === 'account' ? 'Whole account' : scope.value}
      </Table.Cell>
      <Table.Cell className="hidden md:table-cell">
        {expires === null ? 'Never' : <Expiry at={expires} />}
      </Table.Cell>
      <Table.Cell className="hidden md:table-cell">
        <Moment at={created} ago />
      </Table.Cell>
      <Table.Cell className="text-right">
        {!isReadOnly && (
          <Button
            variant="ghost"
            size="sm"
            shape="square"
            aria-label={`Delete ${email}`}
            icon={<TrashIcon />}
            onClick={() => onDelete(entry)}
          />
        )}
      </Table.Cell>
    </Table.Row>
  )
}

function ReasonBadge({ reason }: Pick<SuppressionBody, 'reason'>) {
  const { label, explanation } = REASONS[reason]
  return (
    <span title={explanation} className="inline-flex">
      <Badge variant={reason === 'complaint' || reason === 'policy' ? 'error' : 'secondary'}>{label}</Badge>
    </span>
  )
}

function Expiry({ at }: { readonly at: string }) {
  return <Moment at={at} ago />
}

function Nobody({ filtered, onAdd }: { readonly filtered: boolean; readonly onAdd: () => void }) {
  const icon = <ProhibitIcon size={48} aria-hidden />
  if (filtered) {
    return (
      <SectionEmpty
        icon={icon}
        title="No entry matches"
        description="The search takes a whole address, or what stands before its @."
      />
    )
  }
  return (
    <SectionEmpty
      icon={icon}
      title="Nobody is suppressed"
      description="Addresses come here by themselves when mail to them bounces or is complained of. You can also add some."
      contents={<Button onClick={onAdd}>Add address</Button>}
    />
  )
}
