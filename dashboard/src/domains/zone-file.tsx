import { Collapsible } from '@cloudflare/kumo/components/collapsible'
import { useState } from 'react'
import { CodeText } from '../parts/code-text.tsx'
import { type RecordToPublish, zoneFileText } from './record-names.ts'

/** All records at once, for DNS providers that import them. */
export function ZoneFile({ records }: { readonly records: readonly RecordToPublish[] }) {
  const [open, setOpen] = useState(false)
  return (
    <Collapsible.Root open={open} onOpenChange={setOpen} className="mt-4">
      <Collapsible.DefaultTrigger>All of them as a zone file</Collapsible.DefaultTrigger>
      <Collapsible.DefaultPanel>
        <CodeText text={zoneFileText(records)} what="the records as a zone file" />
      </Collapsible.DefaultPanel>
    </Collapsible.Root>
  )
}
