import { Button } from '@cloudflare/kumo/components/button'
import { Table } from '@cloudflare/kumo/components/table'
import type { ImportResult } from '#contract/suppressions.ts'
import { Figure } from '../parts/figure.tsx'

interface ImportReportProps {
  readonly result: ImportResult
  readonly onClose: () => void
}

export function ImportReport({ result, onClose }: ImportReportProps) {
  const { total, processed, deduplicated, invalid, skipped, faults, faults_left_out: leftOut } = result
  return (
    <div role="status" className="flex flex-col gap-4">
      <dl className="grid grid-cols-2 gap-4 sm:grid-cols-5">
        <Figure label="Read" value={total} />
        <Figure label="Added" value={processed} />
        <Figure label="Repeated" value={deduplicated} />
        <Figure label="Skipped" value={skipped} />
        <Figure label="Invalid" value={invalid} />
      </dl>
      {faults.length > 0 && (
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by keyboard
        <div role="group" aria-label="Lines with faults" tabIndex={0} className="max-h-80 overflow-auto">
          <Table>
            <Table.Header variant="compact">
              <Table.Row>
                <Table.Head>Line</Table.Head>
                <Table.Head>What is wrong</Table.Head>
              </Table.Row>
            </Table.Header>
            <Table.Body>
              {faults.map(({ line, email, error }) => (
                <Table.Row key={line}>
                  <Table.Cell>{line}</Table.Cell>
                  <Table.Cell>
                    {email !== undefined && (
                      <span className="block font-mono text-sm break-all">{email}</span>
                    )}
                    {error}
                  </Table.Cell>
                </Table.Row>
              ))}
            </Table.Body>
          </Table>
        </div>
      )}
      {leftOut > 0 && <p className="text-kumo-subtle">And {leftOut} more lines with faults.</p>}
      <div className="flex justify-end">
        <Button variant="primary" onClick={onClose}>
          Close
        </Button>
      </div>
    </div>
  )
}
