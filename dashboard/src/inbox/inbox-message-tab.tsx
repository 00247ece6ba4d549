import { Empty } from '@cloudflare/kumo/components/empty'
import { Link } from '@cloudflare/kumo/components/link'
import { Table } from '@cloudflare/kumo/components/table'
import { PaperclipIcon } from '@phosphor-icons/react'
import { useQuery } from '@tanstack/react-query'
import { askPlain } from '../api/ask.ts'
import { Asked } from '../parts/asked.tsx'
import { CodeText } from '../parts/code-text.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { TableBox } from '../parts/table-box.tsx'
import { INBOX, type InboxMessage, type InboxPart } from './inbox-message.ts'
import type { InboxTab } from './routes.ts'

interface InboxMessageTabProps {
  readonly tab: InboxTab
  readonly message: InboxMessage
}

/** Never live in this page: HTML is a document of its own, without scripts, that loads nothing. */
export function InboxMessageTab({ tab, message }: InboxMessageTabProps) {
  const path = `${INBOX}/message/${message.ID}`
  switch (tab) {
    case 'html':
      return message.HTML === '' ? (
        <p className="text-kumo-subtle">This message has no HTML.</p>
      ) : (
        <iframe
          title="The message"
          sandbox=""
          src={`${path}/preview`}
          className="h-[70vh] w-full rounded-lg border border-kumo-hairline bg-white"
        />
      )
    case 'text':
      return (
        <>
          {message.ParseError !== undefined && (
            <ProblemNote className="mb-4">{message.ParseError}</ProblemNote>
          )}
          {message.Text === '' ? (
            <p className="text-kumo-subtle">This message has no text.</p>
          ) : (
            <CodeText text={message.Text} what="the text of the message" />
          )}
        </>
      )
    case 'headers':
      return <Headers path={path} />
    case 'source':
      return <Source path={path} />
    case 'attachments':
      return <Attachments path={path} parts={[...message.Attachments, ...message.Inline]} />
  }
}

function Headers({ path }: { readonly path: string }) {
  const headers = useQuery({
    queryKey: ['inbox', 'headers', path],
    queryFn: ({ signal }) => askPlain<Record<string, readonly string[]>>(`${path}/headers`, { signal }),
  })
  return (
    <Asked of={headers}>
      {(headers) => (
        <TableBox label="Headers">
          <Table>
            <Table.Header>
              <Table.Row>
                <Table.Head>Field</Table.Head>
                <Table.Head>Value</Table.Head>
              </Table.Row>
            </Table.Header>
            <Table.Body>
              {Object.entries(headers).flatMap(([name, values]) =>
                values.map((value, index) => (
                  <Table.Row key={`${name} ${index}`}>
                    <Table.Cell className="align-top font-medium whitespace-nowrap">{name}</Table.Cell>
                    <Table.Cell className="font-mono text-sm break-all">{value}</Table.Cell>
                  </Table.Row>
                )),
              )}
            </Table.Body>
          </Table>
        </TableBox>
      )}
    </Asked>
  )
}

function Source({ path }: { readonly path: string }) {
  const source = useQuery({
    queryKey: ['inbox', 'source', path],
    queryFn: ({ signal }) => askPlain<string>(`${path}/raw`, { signal }),
  })
  return (
    <>
      <p className="mb-3">
        <Link href={`${path}/raw?dl=1`} download>
          Download as .eml
        </Link>
      </p>
      <Asked of={source}>{(source) => <CodeText text={source} what="the source of the message" />}</Asked>
    </>
  )
}

function Attachments({ path, parts }: { readonly path: string; readonly parts: readonly InboxPart[] }) {
  if (parts.length === 0) return <Empty icon={<PaperclipIcon size={48} />} title="Nothing is attached" />
  return (
    <ul className="divide-y divide-kumo-hairline rounded-xl border border-kumo-hairline bg-kumo-base">
      {parts.map(({ PartID, FileName, ContentType, Size }) => (
        <li key={PartID} className="flex flex-wrap items-center gap-x-4 gap-y-1 p-4">
          <Link href={`${path}/part/${encodeURIComponent(PartID)}`} download={FileName}>
            {FileName || 'unnamed'}
          </Link>
          <span className="text-kumo-subtle">
            {ContentType}, {size(Size)}
          </span>
        </li>
      ))}
    </ul>
  )
}

function size(octets: number): string {
  if (octets < 1024) return `${octets} octets`
  return octets < 1024 * 1024
    ? `${(octets / 1024).toFixed(1)} KiB`
    : `${(octets / 1024 / 1024).toFixed(1)} MiB`
}
