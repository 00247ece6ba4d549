import { Button } from '@cloudflare/kumo/components/button'
import { Dialog } from '@cloudflare/kumo/components/dialog'
import { InputArea } from '@cloudflare/kumo/components/input'
import { type FormEvent, useId, useState } from 'react'
import type { ImportResult } from '#contract/suppressions.ts'
import { ask, withQuery } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { ProblemNote } from '../parts/problem-note.tsx'
import { ExpiryField, expiryTime, NO_EXPIRY } from './expiry-field.tsx'
import { ImportReport } from './import-report.tsx'

interface ImportSuppressionsProps {
  readonly path: string
  readonly onClose: () => void
}

interface Import {
  readonly text: string
  readonly format: 'csv' | 'json'
  readonly expires_at: string | undefined
}

/** Addresses from a file, or as they were copied from anywhere; then what became of each. */
export function ImportSuppressions({ path, onClose }: ImportSuppressionsProps) {
  const fileId = useId()
  const [text, setText] = useState('')
  const [fileName, setFileName] = useState<string>()
  const [expiry, setExpiry] = useState(NO_EXPIRY)
  const load = useAct(
    ({ text, format, expires_at }: Import) =>
      ask<ImportResult>(withQuery(`${path}/import`, { format, expires_at }), {
        method: 'POST',
        // A type of its own would have the browser's name for it, which is none of the API's.
        body: new Blob([text], { type: format === 'csv' ? 'text/csv' : 'application/json' }),
      }),
    [path],
  )

  async function read(files: FileList | null) {
    const file = files?.[0]
    if (!file) return
    setFileName(file.name)
    setText(await file.text())
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    load.mutate({ text, format: formatOf(text), expires_at: expiryTime(expiry) ?? undefined })
  }

  return (
    <Dialog.Root
      open
      onOpenChange={(open) => {
        if (!open) onClose()
      }}
    >
      <Dialog size="lg" className="max-h-dvh overflow-y-auto p-6">
        <Dialog.Title className="mb-2 text-xl font-semibold">Import suppressions</Dialog.Title>
        {load.data ? (
          <ImportReport result={load.data} onClose={onClose} />
        ) : (
          <form className="flex flex-col gap-4" onSubmit={submit}>
            <Dialog.Description className="text-kumo-subtle">
              An address on each line, or a CSV with the columns email, expires_at, scope and note, or a JSON
              array. What is on the list already stays as it is.
            </Dialog.Description>
            <div className="flex flex-col gap-1">
              <label htmlFor={fileId} className="font-medium">
                File
              </label>
              <input
                id={fileId}
                type="file"
                accept=".csv,.txt,.json,text/csv,text/plain,application/json"
                className="max-w-full rounded-lg file:mr-3 file:cursor-pointer file:rounded-lg file:border-0 file:bg-kumo-tint file:px-3 file:py-2"
                onChange={({ target }) => void read(target.files)}
              />
            </div>
            <InputArea
              label={fileName === undefined ? 'Or addresses as text' : `Contents of ${fileName}`}
              value={text}
              rows={6}
              required
              spellCheck={false}
              className="font-mono text-sm"
              onChange={({ target }) => setText(target.value)}
            />
            <ExpiryField value={expiry} onChange={setExpiry} />
            <p className="text-sm text-kumo-subtle">
              The expiry is for the lines that have none of their own.
            </p>
            {load.error && <ProblemNote>{problemText(load.error)}</ProblemNote>}
            <div className="flex flex-wrap justify-end gap-2">
              <Button onClick={onClose}>Cancel</Button>
              <Button type="submit" variant="primary" loading={load.isPending}>
                Import addresses
              </Button>
            </div>
          </form>
        )}
      </Dialog>
    </Dialog.Root>
  )
}

/** A list of addresses is a CSV of one column. JSON may be the API's own request, with its entries in `items`. */
function formatOf(text: string): Import['format'] {
  return /^\s*(?:\[|\{\s*")/.test(text) ? 'json' : 'csv'
}
