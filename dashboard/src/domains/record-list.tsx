import type { ReactNode } from 'react'
import { CopyButton } from '../parts/copy-button.tsx'
import { type RecordToPublish, recordKey, shortName } from './record-names.ts'

interface RecordListProps<R extends RecordToPublish> {
  /** What they are: "DNS records". */
  readonly label: string
  readonly records: readonly R[]
  readonly zone: string
  /** How a record stands: badges. */
  readonly renderState?: (record: R) => ReactNode
}

/** DNS records, each of their fields to be copied by itself, as the forms of DNS providers ask for them. */
export function RecordList<R extends RecordToPublish>({
  label,
  records,
  zone,
  renderState,
}: RecordListProps<R>) {
  return (
    <ul aria-label={label} className="divide-y divide-kumo-hairline border-y border-kumo-hairline">
      {records.map((record) => (
        <li
          key={recordKey(record)}
          className="grid gap-x-4 gap-y-2 py-3 md:grid-cols-[3rem_minmax(0,2fr)_minmax(0,3fr)_11rem] md:items-start"
        >
          <span className="font-mono text-sm leading-7 font-semibold">{record.type}</span>
          <RecordName name={record.name} zone={zone} />
          <RecordValue record={record} />
          {renderState !== undefined && (
            <span className="flex flex-wrap items-center gap-2 md:min-h-7 md:justify-end">
              {renderState(record)}
            </span>
          )}
        </li>
      ))}
    </ul>
  )
}

function RecordName({ name, zone }: { readonly name: string; readonly zone: string }) {
  const short = shortName(name, zone)
  const rest = short === '@' ? ` ${zone}` : short === name ? '' : `.${zone}`
  return (
    <Copied text={short} what={`the name ${short}`} wrap="break-all">
      <span className="sr-only">Name </span>
      {short}
      <span className="text-kumo-subtle">{rest}</span>
    </Copied>
  )
}

function RecordValue({ record }: { readonly record: RecordToPublish }) {
  const { type, name, content, priority } = record
  if (content === undefined) {
    return <span className="text-sm leading-7 text-kumo-subtle">The key is made with the domain</span>
  }
  return (
    <Copied text={content} what={`the value of ${type} ${name}`} wrap="[overflow-wrap:anywhere]">
      <span className="sr-only">Value </span>
      {content}
      {priority !== undefined && <span className="text-kumo-subtle"> priority {priority}</span>}
    </Copied>
  )
}

interface CopiedProps {
  readonly text: string
  readonly what: string
  /** Names have no place to break; values have some. */
  readonly wrap: 'break-all' | '[overflow-wrap:anywhere]'
  readonly children: ReactNode
}

function Copied({ text, what, wrap, children }: CopiedProps) {
  return (
    <span className="flex min-w-0 items-start gap-1">
      <span className={`my-1 line-clamp-3 min-w-0 font-mono text-sm ${wrap}`}>{children}</span>
      <CopyButton text={text} what={what} />
    </span>
  )
}
