import { LinkButton } from '@cloudflare/kumo/components/button'
import { Table } from '@cloudflare/kumo/components/table'
import { DownloadSimpleIcon } from '@phosphor-icons/react'
import { type UseQueryResult, useQuery } from '@tanstack/react-query'
import { MessageLinks } from '../inbox/message-links.tsx'
import { CodeText } from '../parts/code-text.tsx'
import { visibleText } from '../parts/visible-text.ts'
import { AttachmentsTab } from './attachments-tab.tsx'
import { Kept } from './kept.tsx'
import { headerBlock, readHeaders } from './mail-headers.ts'
import { type MailSource, problemOf, readSource } from './read-source.ts'
import type { MessageTab } from './routes.ts'
import { messagePath } from './use-message.ts'

interface ContentTabProps {
  readonly accountId: string
  readonly messageId: string
}

/** Enough of a message to look at; more is downloaded. */
const MOST_SHOWN = 512 * 1024

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
      return response.text()
    },
  })
  return (
    <Kept of={preview}>
      {(html) => (
        <>
          <iframe
            title="The message"
            sandbox=""
            src={path}
            referrerPolicy="no-referrer"
            className="mb-6 h-[70vh] w-full rounded-lg border border-kumo-hairline bg-white"
          />
          <MessageLinks html={html} />
        </>
      )}
    </Kept>
  )
}

function SourceTab({ accountId, messageId }: ContentTabProps) {
  return (
    <Kept of={useSource({ accountId, messageId })}>
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
    <Kept of={useSource(of)}>
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

function useSource({ accountId, messageId }: ContentTabProps): UseQueryResult<MailSource> {
  const path = messagePath(accountId, messageId, 'source')
  return useQuery({
    queryKey: ['message', 'source', path],
    queryFn: ({ signal }) => readSource(path, MOST_SHOWN, signal),
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 30_000,
    structuralSharing: false,
  })
}
