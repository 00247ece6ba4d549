import { LinkButton } from '@cloudflare/kumo/components/button'
import { DownloadSimpleIcon, PaperclipIcon } from '@phosphor-icons/react'
import type { MessageAttachmentBody } from '#contract/message-preview.ts'
import { useAsk } from '../api/use-ask.ts'
import { SectionEmpty } from '../parts/section-empty.tsx'
import { visibleText } from '../parts/visible-text.ts'
import { Kept } from './kept.tsx'
import { messagePath } from './use-message.ts'

interface AttachmentsTabProps {
  readonly accountId: string
  readonly messageId: string
}

/** What is attached, each as a download: the server takes the message apart, and lets no browser show a part as a page. */
export function AttachmentsTab({ accountId, messageId }: AttachmentsTabProps) {
  const path = messagePath(accountId, messageId, 'attachments')
  return (
    <Kept of={useAsk<readonly MessageAttachmentBody[]>(path)}>
      {(attachments) =>
        attachments.length === 0 ? (
          <SectionEmpty icon={<PaperclipIcon size={48} />} title="Nothing is attached" />
        ) : (
          <ul className="divide-y divide-kumo-hairline">
            {attachments.map(({ id, filename, content_type: type, size, disposition }) => (
              <li key={id} className="flex flex-wrap items-center gap-x-4 gap-y-2 py-3 first:pt-0 last:pb-0">
                <span className="min-w-0 flex-1 basis-48">
                  <bdi className="block font-medium">{visibleText(filename)}</bdi>
                  <span className="text-sm text-kumo-subtle">
                    {type}, {sizeText(size)}
                    {disposition === 'inline' && ', shown with the text'}
                  </span>
                </span>
                <LinkButton
                  size="sm"
                  variant="secondary"
                  icon={<DownloadSimpleIcon />}
                  aria-label={`Download ${visibleText(filename)}`}
                  href={`${path}/${encodeURIComponent(id)}`}
                  download
                >
                  Download
                </LinkButton>
              </li>
            ))}
          </ul>
        )
      }
    </Kept>
  )
}

function sizeText(octets: number): string {
  if (octets < 1024) return `${octets} bytes`
  return octets < 1024 * 1024
    ? `${(octets / 1024).toFixed(1)} KiB`
    : `${(octets / 1024 / 1024).toFixed(1)} MiB`
}
