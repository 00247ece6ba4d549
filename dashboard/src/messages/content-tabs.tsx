import { Button, LinkButton } from '@cloudflare/kumo/components/button'
import { Empty } from '@cloudflare/kumo/components/empty'
import { Table } from '@cloudflare/kumo/components/table'
import { DownloadSimpleIcon, EyeSlashIcon, PaperclipIcon } from '@phosphor-icons/react'
import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Problem } from '../api/problem.ts'
import { Asked } from '../parts/asked.tsx'
import { CodeText } from '../parts/code-text.tsx'
import { visibleText } from '../parts/visible-text.ts'
import { headerBlock, readHeaders } from './mail-headers.ts'
import { attachedParts, decodePart, type MailPart } from './mail-parts.ts'
import { octetString } from './octet-string.ts'
import { type MailSource, problemOf, readSource } from './read-source.ts'
import type { MessageTab } from './routes.ts'
import { messagePath } from './use-message.ts'

interface ContentTabProps {
  readonly accountId: string
  readonly messageId: string
}

/** Enough of a message to look at; more is downloaded. */
const MOST_SHOWN = 512 * 1024
/** Larger than the largest message that is taken. */
const MOST_READ = 64 * 1024 * 1024

/** What a message holds, while its content is kept. Its HTML is never live in this page: it is a document of its own,
 *  without scripts, that loads nothing. */
export function ContentTab({
  tab,
  ...of
}: ContentTabProps & { readonly tab: Exclude<MessageTab, 'timeline'> }) {
  switch (tab) {
    case 'preview':
      return <PreviewTab {...of} />
    case 'source':
      return <SourceTab {...of} />
    case 'headers':
      return <HeadersTab {...of} />
    case 'attachments':
      return <AttachmentsTab {...of} />
  }
}

function PreviewTab({ accountId, messageId }: ContentTabProps) {
  const path = messagePath(accountId, messageId, 'preview')
  // A frame cannot say why it stays empty.
  const preview = useQuery({
    queryKey: ['message', 'preview', path],
    queryFn: async ({ signal }) => {
      const response = await fetch(path, { credentials: 'same-origin', signal })
      if (!response.ok) throw await problemOf(response)
      await response.body?.cancel()
      return path
    },
  })
  return (
    <Kept of={preview}>
      {(path) => (
        <iframe
          title="The message"
          sandbox=""
          src={path}
          referrerPolicy="no-referrer"
          className="h-[70vh] w-full rounded-lg border border-kumo-hairline bg-white"
        />
      )}
    </Kept>
  )
}

function SourceTab({ accountId, messageId }: ContentTabProps) {
  return (
    <Kept of={useSource({ accountId, messageId }, MOST_SHOWN)}>
      {({ octets, isWhole }) => (
        <>
          <div className="mb-3 flex flex-wrap items-center gap-4">
            <LinkButton icon={<DownloadSimpleIcon />} href={messagePath(accountId, messageId)} download>
              Download as .eml
            </LinkButton>
            {!isWhole && (
              <span className="text-kumo-subtle">The first 512 KiB; the download has all of it.</span>
            )}
          </div>
          <CodeText text={new TextDecoder().decode(octets)} what="the source of the message" />
        </>
      )}
    </Kept>
  )
}

function HeadersTab(of: ContentTabProps) {
  return (
    <Kept of={useSource(of, MOST_SHOWN)}>
      {({ octets }) => (
        <div className="overflow-x-auto">
          <Table>
            <Table.Header>
              <Table.Row>
                <Table.Head>Field</Table.Head>
                <Table.Head>Value</Table.Head>
              </Table.Row>
            </Table.Header>
            <Table.Body>
              {readHeaders(headerBlock(new TextDecoder().decode(octets))).map(({ name, value }, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: they never change places
                <Table.Row key={index}>
                  <Table.Cell className="align-top font-medium whitespace-nowrap">{name}</Table.Cell>
                  <Table.Cell className="font-mono text-sm break-all whitespace-pre-wrap">
                    {visibleText(value)}
                  </Table.Cell>
                </Table.Row>
              ))}
            </Table.Body>
          </Table>
        </div>
      )}
    </Kept>
  )
}

function AttachmentsTab(of: ContentTabProps) {
  return (
    <Kept of={useSource(of, MOST_READ)}>
      {({ octets }) => {
        const source = octetString(octets)
        const parts = attachedParts(source)
        if (parts.length === 0)
          return <Empty icon={<PaperclipIcon size={48} />} title="Nothing is attached" />
        return (
          <ul className="divide-y divide-kumo-hairline rounded-xl border border-kumo-hairline bg-kumo-base">
            {parts.map((part) => (
              <li key={part.from} className="flex flex-wrap items-center gap-x-4 gap-y-2 p-4">
                <span className="min-w-0 flex-1">
                  <bdi className="block font-medium">{nameOf(part)}</bdi>
                  <span className="text-sm text-kumo-subtle">
                    {visibleText(part.type)}, {sizeText(decodePart(source, part).length)}
                  </span>
                </span>
                <Button
                  size="sm"
                  icon={<DownloadSimpleIcon />}
                  aria-label={`Download ${nameOf(part)}`}
                  onClick={() => download(nameOf(part), decodePart(source, part))}
                >
                  Download
                </Button>
              </li>
            ))}
          </ul>
        )
      }}
    </Kept>
  )
}

function useSource({ accountId, messageId }: ContentTabProps, most: number): UseQueryResult<MailSource> {
  const path = messagePath(accountId, messageId, 'source')
  return useQuery({
    queryKey: ['message', 'source', path, most],
    queryFn: ({ signal }) => readSource(path, most, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 30_000,
    structuralSharing: false,
  })
}

interface KeptProps<R> {
  readonly of: UseQueryResult<R>
  readonly children: (answer: R) => ReactNode
}

/** What the content is shown by, or why there is none any more. */
function Kept<R>({ of, children }: KeptProps<R>) {
  const { error } = of
  if (!(error instanceof Problem && error.status === 404)) return <Asked of={of}>{children}</Asked>
  return (
    <Empty
      icon={<EyeSlashIcon size={48} className="text-kumo-inactive" />}
      title="The content of this message is not here"
      description={`${error.message} What happened to it stays in the timeline.`}
    />
  )
}

/** As a file and nothing else: whatever it says it is, no browser shows it as a page of ours. */
function download(name: string, octets: Uint8Array<ArrayBuffer>): void {
  const url = URL.createObjectURL(new Blob([octets], { type: 'application/octet-stream' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}

function nameOf({ name }: MailPart): string {
  return name === undefined || name.trim() === '' ? 'unnamed' : visibleText(name)
}

function sizeText(octets: number): string {
  if (octets < 1024) return `${octets} bytes`
  return octets < 1024 * 1024
    ? `${(octets / 1024).toFixed(1)} KiB`
    : `${(octets / 1024 / 1024).toFixed(1)} MiB`
}
