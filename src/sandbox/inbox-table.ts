import { statement, type Write } from '#store/store.ts'
import type { ContentSummary, MessageSummary } from './message-summary.ts'

/** A row of `inbox_message` as it is listed. `searchText` is read where a search wants it, and empty elsewhere. */
export interface InboxRow {
  readonly summary: MessageSummary
  readonly bodyId: string
  readonly searchText: string
  readonly receivedAt: number
}

interface StoredRow {
  readonly id: string
  readonly body_id: string
  readonly received_at: number
  readonly mail_from: string
  readonly rcpt_to: string
  readonly message_id: string
  readonly summary: string
  readonly size: number
  readonly read: number
  readonly search_text: string
}

const COLUMNS = 'id, body_id, received_at, mail_from, rcpt_to, message_id, summary, size, read'

export const selectPage = statement<StoredRow>(
  'inbox.page',
  `select ${COLUMNS}, '' as search_text from inbox_message order by received_at desc, id desc limit $1 offset $2`,
)

export const selectMessage = statement<StoredRow>(
  'inbox.message',
  `select ${COLUMNS}, '' as search_text from inbox_message where id = $1`,
)

/** The next rows after a known one, newest first: a walk over everything in batches stays cheap at any depth. */
export const selectOlder = statement<StoredRow>(
  'inbox.older',
  `select ${COLUMNS}, '' as search_text from inbox_message where (received_at, id) < ($1, $2)
   order by received_at desc, id desc limit $3`,
)

export const selectOlderWithText = statement<StoredRow>(
  'inbox.older-with-text',
  `select ${COLUMNS}, search_text from inbox_message where (received_at, id) < ($1, $2)
   order by received_at desc, id desc limit $3`,
)

export const selectOldest = statement<{ readonly id: string; readonly body_id: string }>(
  'inbox.oldest',
  'select id, body_id from inbox_message order by received_at, id limit $1',
)

export const countMessages = statement<{ readonly total: number }>(
  'inbox.count',
  'select count(*) as total from inbox_message',
)

export const measureMessages = statement<{
  readonly total: number
  readonly unread: number
  readonly bytes: number
}>(
  'inbox.measure',
  `select count(*) as total, count(case when read = 0 then 1 end) as unread,
          cast(coalesce(sum(size), 0) as bigint) as bytes
     from inbox_message`,
)

const insert = statement(
  'inbox.insert',
  `insert into inbox_message
     (id, body_id, received_at, mail_from, rcpt_to, message_id, summary, search_text, size, read)
   values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)`,
)

const remove = statement<{ readonly id: string }>(
  'inbox.delete',
  'delete from inbox_message where id = $1 returning id',
)

const mark = statement('inbox.mark', 'update inbox_message set read = $2 where id = $1')

const markAll = statement('inbox.mark-all', 'update inbox_message set read = $1 where read <> $1')

export function insertMessage({ summary, bodyId, searchText, receivedAt }: InboxRow): Write {
  const { ID, MessageID, Envelope, Size } = summary
  const { From, To, Cc, Bcc, ReplyTo, Subject, Attachments, Inline, Snippet } = summary
  const content: ContentSummary = { From, To, Cc, Bcc, ReplyTo, Subject, Attachments, Inline, Snippet }
  return {
    statement: insert,
    params: [
      ID,
      bodyId,
      receivedAt,
      Envelope.From,
      JSON.stringify(Envelope.To),
      MessageID,
      JSON.stringify(content),
      searchText,
      Size,
    ],
    rows: 1,
  }
}

/** Returns the id where the message was still there. */
export function deleteMessage(id: string): Write {
  return { statement: remove, params: [id] }
}

export function markMessage(id: string, read: boolean): Write {
  return { statement: mark, params: [id, read ? 1 : 0] }
}

export function markAllMessages(read: boolean): Write {
  return { statement: markAll, params: [read ? 1 : 0] }
}

/** The JSON is what `insertMessage` wrote, so it is taken for what it was. */
export function readRow(row: StoredRow): InboxRow {
  const content = JSON.parse(row.summary) as ContentSummary
  const summary: MessageSummary = {
    ID: row.id,
    MessageID: row.message_id,
    Read: row.read === 1,
    From: content.From,
    To: content.To,
    Cc: content.Cc,
    Bcc: content.Bcc,
    ReplyTo: content.ReplyTo,
    Subject: content.Subject,
    Created: new Date(row.received_at).toISOString(),
    Username: '',
    Tags: [],
    Size: row.size,
    Attachments: content.Attachments,
    Inline: content.Inline,
    Snippet: content.Snippet,
    Envelope: { From: row.mail_from, To: JSON.parse(row.rcpt_to) as string[] },
  }
  return { summary, bodyId: row.body_id, searchText: row.search_text, receivedAt: row.received_at }
}
