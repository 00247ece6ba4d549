import { Table } from '@cloudflare/kumo/components/table'
import type { ReactNode } from 'react'
import { TableBox } from './table-box.tsx'
import { useIsNarrow } from './use-is-narrow.ts'

export interface Column<Row> {
  readonly head: string
  /** What the row says below it; where that is nothing, a card leaves it out. */
  readonly renderCell: (row: Row) => ReactNode
  /** Its buttons say themselves what they are. */
  readonly isActions?: boolean
  readonly className?: string
}

interface FoldingTableProps<Row> {
  /** What its rows are: "Deliveries". */
  readonly label: string
  readonly rows: readonly Row[]
  readonly rowKey: (row: Row) => string
  /** The first names the row. */
  readonly columns: readonly Column<Row>[]
}

/** A table, and on a phone a card for each of its rows, so that nobody scrolls to the side for the rest of a row. */
export function FoldingTable<Row>(props: FoldingTableProps<Row>) {
  const isNarrow = useIsNarrow()
  return isNarrow ? <Cards {...props} /> : <Rows {...props} />
}

function Rows<Row>({ label, rows, rowKey, columns }: FoldingTableProps<Row>) {
  return (
    <TableBox label={label}>
      <Table>
        <Table.Header>
          <Table.Row>
            {columns.map(({ head, isActions = false }) => (
              <Table.Head key={head}>{isActions ? <span className="sr-only">{head}</span> : head}</Table.Head>
            ))}
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {rows.map((row) => (
            <Table.Row key={rowKey(row)}>
              {columns.map(({ head, renderCell, className = '' }) => (
                <Table.Cell key={head} className={className}>
                  {renderCell(row)}
                </Table.Cell>
              ))}
            </Table.Row>
          ))}
        </Table.Body>
      </Table>
    </TableBox>
  )
}

function Cards<Row>({ label, rows, rowKey, columns }: FoldingTableProps<Row>) {
  const [title, ...others] = columns
  const facts = others.filter(({ isActions = false }) => !isActions)
  const actions = others.filter(({ isActions = false }) => isActions)
  return (
    <ul aria-label={label} className="flex flex-col gap-3">
      {rows.map((row) => (
        <li key={rowKey(row)} className="rounded-lg border border-kumo-hairline p-3">
          <div className="flex items-start justify-between gap-3">
            <div className="min-w-0 font-medium">{title?.renderCell(row)}</div>
            {actions.map(({ head, renderCell }) => (
              <div key={head} className="shrink-0">
                {renderCell(row)}
              </div>
            ))}
          </div>
          <dl className="mt-2 grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1.5 text-sm">
            {facts
              .map(({ head, renderCell }) => [head, renderCell(row)] as const)
              .filter(([, value]) => value !== undefined && value !== null && value !== '')
              .map(([head, value]) => (
                <div key={head} className="contents">
                  <dt className="text-kumo-subtle">{head}</dt>
                  <dd className="min-w-0">{value}</dd>
                </div>
              ))}
          </dl>
        </li>
      ))}
    </ul>
  )
}
