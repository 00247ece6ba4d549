import { Table } from '@cloudflare/kumo/components/table'
import type { ReactNode } from 'react'

/** Figures as rows: the first column names them, numbers stand to the right. */
export interface TableOfFigures {
  readonly columns: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
}

interface FiguresTableProps {
  readonly caption: string
  readonly of: TableOfFigures
}

export function FiguresTable({ caption, of: { columns, rows } }: FiguresTableProps) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by keyboard
    <div tabIndex={0} role="region" aria-label={`${caption}, as a table`} className="max-h-96 overflow-auto">
      <Table>
        <caption className="sr-only">{caption}</caption>
        <Table.Header>
          <Table.Row>
            {columns.map((column, index) => (
              <Table.Head key={column} className={index === 0 ? '' : 'text-right'}>
                {column}
              </Table.Head>
            ))}
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {rows.map((cells) => (
            <Table.Row key={String(cells[0])}>
              {cells.map((cell, index) => (
                <Table.Cell key={columns[index]} className={index === 0 ? '' : 'text-right tabular-nums'}>
                  {cellText(cell)}
                </Table.Cell>
              ))}
            </Table.Row>
          ))}
        </Table.Body>
      </Table>
    </div>
  )
}

function cellText(cell: string | number): ReactNode {
  return typeof cell === 'number' ? cell.toLocaleString() : <bdi>{cell}</bdi>
}
