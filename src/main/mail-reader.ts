import type { MailReader } from '#ingress/http-api/message-preview.ts'
import type { MimeReader } from '#sandbox/mime-reader.ts'
import { PREVIEW_HEADERS } from '#sandbox/preview-page.ts'
import type { MimeView, PartView } from '#sandbox/read-mime.ts'

/** The inbox's reader of messages, for mail that was sent. */
export function mailReader(reader: Pick<MimeReader, 'view' | 'part' | 'preview'>): MailReader {
  return {
    async preview(source, gone) {
      const shown = await reader.preview(source, gone)
      if (shown === undefined || shown === 'busy' || 'unreadable' in shown) return shown
      return { page: shown.page, headers: PREVIEW_HEADERS }
    },
    async attachments(source, gone) {
      const view = await reader.view(source, gone)
      if (view === undefined || view === 'busy' || 'unreadable' in view) return view
      return partsOf(view)
    },
    attachment: (source, id, gone) => reader.part(source, id, gone),
  }
}

/** In the order in which they stand in the message. */
function partsOf({ attachments, inline }: MimeView) {
  const part = (disposition: 'attachment' | 'inline') => (view: PartView) => ({
    id: view.PartID,
    fileName: view.FileName,
    contentType: view.ContentType,
    size: view.Size,
    disposition,
  })
  return [...attachments.map(part('attachment')), ...inline.map(part('inline'))].sort(
    (one, other) => Number(one.id) - Number(other.id),
  )
}
