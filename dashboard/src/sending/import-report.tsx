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
      <dl className="grid grid-cols-2 gap-4 sm:grid-cols-3">
        <Figure label="Read" value={total.toLocaleString()} />
        <Figure label="Added" value={processed.toLocaleString()} />
        <Figure label="Repeated" value={deduplicated.toLocaleString()} />
        <Figure label="Skipped" value={skipped.toLocaleString()} />
        <Figure label="Invalid" value={invalid.toLocaleString()} />
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
              {faults.map(({ line, email, error }, index) => (
                // A line of JSON may have several.
                <Table.Row key={`${index} ${line}`}>
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
      {leftOut > 0 && (
        <p className="text-kumo-subtle">
          And {leftOut.toLocaleString()} more {leftOut === 1 ? 'line' : 'lines'} with faults.
        </p>
      )}
      <div className="flex justify-end">
        <Button variant="primary" onClick={onClose}>
          Close
        </Button>
      </div>
    </div>
  )
}
