import type { Bodies } from '#bodies/bodies.ts'
import { type Store, StoreFull } from '#store/store.ts'
import { arrivalIds } from './arrival-id.ts'
import {
  countMessages,
  deleteMessage,
  type InboxRow,
  insertMessage,
  markAllMessages,
  markMessage,
  measureMessages,
  readRow,
  selectMessage,
  selectOlder,
  selectOlderWithText,
  selectOldest,
  selectPage,
} from './inbox-table.ts'
import type { MessageSummary } from './message-summary.ts'
import { type MessageView, viewMessage } from './message-view.ts'
import { openMimeReader } from './mime-reader.ts'
import type { PartContent, Unreadable } from './read-mime.ts'
import { matchesSearch, type Searchable, type SearchQuery } from './search-query.ts'
import { type Envelope, summarizeMessage } from './summarize.ts'

/** The development inbox: mail that was delivered to the sandbox, for people and tests to read.
 *  In: the content of a message with its envelope. Out: lists, searches, opened messages, sources and parts.
 *  Promise: once `add` resolves the message is on disk with its summary, whatever it contains; only the oldest go when
 *  there are more than `limit`. No message costs the server more time or memory than its size, and a summary is small
 *  whatever the message is. A signal ends what is done for somebody who has gone: the call rejects with its reason. */
export interface Inbox {
  /** Keeps a message. Throws StoreFull where the disk is full; then nothing is kept. */
  add(content: Buffer, envelope: Envelope): Promise<MessageSummary>
  /** Newest first. */
  list(range: Range, gone?: AbortSignal): Promise<MessageSummary[]>
  /** Newest first; `count` and `unread` are those of all matches. */
  search(query: SearchQuery, range: Range, gone?: AbortSignal): Promise<SearchResult>
  counts(): Promise<InboxCounts>
  summary(id: string): Promise<MessageSummary | undefined>
  /** Opens a message, which marks it as read. `busy`: too many wait to be opened. */
  open(id: string, gone?: AbortSignal): Promise<MessageView | 'busy' | undefined>
  raw(id: string): Promise<Buffer | undefined>
  /** As a page, for `PREVIEW_HEADERS`; leaves it as read or unread as it is. */
  preview(
    id: string,
    gone?: AbortSignal,
  ): Promise<{ readonly page: string } | Unreadable | 'busy' | undefined>
  part(id: string, partId: string, gone?: AbortSignal): Promise<PartContent | Unreadable | 'busy' | undefined>
  markRead(which: Selection, read: boolean): Promise<void>
  /** Deletes messages and releases their contents. Ids of messages that are not there are passed over. */
  delete(which: Selection): Promise<void>
  /** Calls `listener` for each message once it is safe. The result ends that. */
  onMessage(listener: (message: Searchable) => void): () => void
  /** What happened since the start. */
  readonly activity: InboxActivity
  close(): Promise<void>
}

export interface Range {
  readonly start: number
  readonly limit: number
}

export interface SearchResult {
  readonly messages: MessageSummary[]
  readonly count: number
  readonly unread: number
}

export interface InboxCounts {
  readonly total: number
  readonly unread: number
  readonly bytes: number
}

export type Selection = 'all' | { readonly ids: readonly string[] } | { readonly query: SearchQuery }

export interface InboxActivity {
  readonly accepted: number
  readonly acceptedBytes: number
  /** Refused because the disk was full. */
  readonly refused: number
  readonly deleted: number
}

export interface InboxOptions {
  readonly store: Store
  readonly bodies: Bodies
  /** How many messages are kept. */
  readonly limit?: number
  /** How long opening one message may take, in milliseconds. */
  readonly readTimeLimitMs?: number
}

/** Rows of one step. The most that a stranger can make of them is some 3 MB, which holds up nobody. */
const BATCH = 100

export function openInbox({ store, bodies, limit = 10_000, readTimeLimitMs = 5_000 }: InboxOptions): Inbox {
  const nextArrival = arrivalIds()
  const reader = openMimeReader({ timeLimitMs: readTimeLimitMs })
  const listeners = new Set<(message: Searchable) => void>()
  const activity = { accepted: 0, acceptedBytes: 0, refused: 0, deleted: 0 }
  /** How many messages may come before it is worth counting them. */
  let room = 0
  let pruning: Promise<void> | undefined

  async function keep(content: Buffer, envelope: Envelope): Promise<InboxRow> {
    const { id, at } = nextArrival()
    const { summary, messageId, recipients, searchText } = summarizeMessage(content, envelope)
    const body = await bodies.keep(content)
    const row: InboxRow = {
      summary: {
        ...summary,
        ID: id,
        MessageID: messageId,
        Read: false,
        Created: new Date(at).toISOString(),
        Username: '',
        Tags: [],
        Size: content.length,
        Envelope: { From: envelope.from, To: recipients },
      },
      bodyId: body.id,
      searchText,
      receivedAt: at,
    }
    const result = await store.commit([...body.writes, insertMessage(row)])
    if (!result.ok) throw new Error(`A message did not enter the inbox: ${result.conflict}`)
    return row
  }

  async function find(id: string): Promise<InboxRow | undefined> {
    const row = await store.get(selectMessage, [id])
    return row && readRow(row)
  }

  /** All messages, newest first, in batches of bounded size. */
  async function* walk(withText: boolean, gone?: AbortSignal): AsyncGenerator<InboxRow[]> {
    let last: { readonly at: number; readonly id: string } = { at: Number.MAX_SAFE_INTEGER, id: '' }
    for (;;) {
      gone?.throwIfAborted()
      const rows = await store.all(withText ? selectOlderWithText : selectOlder, [last.at, last.id, BATCH])
      if (rows.length > 0) yield rows.map((row) => readRow(row))
      const end = rows.at(-1)
      if (end === undefined || rows.length < BATCH) return
      last = { at: end.received_at, id: end.id }
    }
  }

  async function* select(which: Selection, gone?: AbortSignal): AsyncGenerator<InboxRow[]> {
    if (which === 'all') yield* walk(false, gone)
    else if ('query' in which) {
      for await (const rows of walk(which.query.wantsText, gone))
        yield rows.filter((row) => matchesSearch(which.query, row))
    } else {
      for (let from = 0; from < which.ids.length; from += BATCH) {
        const rows = await Promise.all(which.ids.slice(from, from + BATCH).map(find))
        yield rows.filter((row) => row !== undefined)
      }
    }
  }

  async function markRead(which: Selection, read: boolean): Promise<void> {
    if (which === 'all') await store.commit([markAllMessages(read)])
    else
      for await (const rows of select(which))
        if (rows.length > 0) await store.commit(rows.map(({ summary }) => markMessage(summary.ID, read)))
  }

  async function remove(rows: readonly { readonly id: string; readonly bodyId: string }[]): Promise<void> {
    if (rows.length === 0) return
    const now = Date.now()
    const result = await store.commit(
      rows.flatMap(({ id, bodyId }) => [deleteMessage(id), bodies.release(bodyId, now)]),
    )
    if (result.ok) activity.deleted += result.rows.filter((returned) => returned.length > 0).length
  }

  /** Deletes the oldest messages past the limit. A full disk must not make a message that is safe look refused. */
  async function prune(): Promise<void> {
    const before = room
    try {
      const total = (await store.get(countMessages, []))?.total ?? 0
      for (let excess = total - limit; excess > 0; excess -= BATCH) {
        const oldest = await store.all(selectOldest, [Math.min(excess, BATCH)])
        await remove(oldest.map(({ id, body_id }) => ({ id, bodyId: body_id })))
      }
      // Those that came meanwhile count against what is left.
      room += Math.max(0, limit - total) - before
    } catch (error) {
      passFullDisk(error)
      room = 0
    }
  }

  return {
    async add(content, envelope) {
      const row = await keep(content, envelope).catch((error: unknown) => {
        if (error instanceof StoreFull) activity.refused++
        throw error
      })
      activity.accepted++
      activity.acceptedBytes += content.length
      room--
      for (const listener of listeners) listener(row)
      while (room < 0) {
        pruning ??= prune().finally(() => {
          pruning = undefined
        })
        await pruning
      }
      return row.summary
    },

    async list({ start, limit: count }, gone) {
      const messages: MessageSummary[] = []
      let rows = await store.all(selectPage, [Math.min(count, BATCH), start])
      for (;;) {
        messages.push(...rows.map((row) => readRow(row).summary))
        const last = rows.at(-1)
        const missing = count - messages.length
        if (last === undefined || rows.length < BATCH || missing === 0) return messages
        gone?.throwIfAborted()
        rows = await store.all(selectOlder, [last.received_at, last.id, Math.min(missing, BATCH)])
      }
    },

    async search(query, { start, limit: count }, gone) {
      const messages: MessageSummary[] = []
      let [matches, unread] = [0, 0]
      for await (const rows of select({ query }, gone)) {
        for (const { summary } of rows) {
          if (matches >= start && messages.length < count) messages.push(summary)
          matches++
          if (!summary.Read) unread++
        }
      }
      return { messages, count: matches, unread }
    },

    async counts() {
      const [counted] = await store.all(measureMessages, [])
      return counted ?? { total: 0, unread: 0, bytes: 0 }
    },

    async summary(id) {
      return (await find(id))?.summary
    },

    async open(id, gone) {
      const row = await find(id)
      if (row === undefined) return undefined
      let raw: Buffer | undefined
      const mime = await reader.view(async () => {
        raw = await bodies.read(row.bodyId)
        return raw
      }, gone)
      if (mime === 'busy') return mime
      if (raw === undefined || mime === undefined) return undefined
      if (!row.summary.Read) await markRead({ ids: [id] }, true).catch(passFullDisk)
      return viewMessage(row.summary, raw, mime)
    },

    async raw(id) {
      const row = await find(id)
      return row && bodies.read(row.bodyId)
    },

    async preview(id, gone) {
      const row = await find(id)
      return row && reader.preview(() => bodies.read(row.bodyId), gone)
    },

    async part(id, partId, gone) {
      const row = await find(id)
      return row && reader.part(() => bodies.read(row.bodyId), partId, gone)
    },

    markRead,

    async delete(which) {
      for await (const rows of select(which))
        await remove(rows.map(({ summary, bodyId }) => ({ id: summary.ID, bodyId })))
    },

    onMessage(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },

    activity,

    async close() {
      listeners.clear()
      await reader.close()
      await pruning
    },
  }
}

/** What is safe stays readable on a full disk. */
function passFullDisk(error: unknown): void {
  if (!(error instanceof StoreFull)) throw error
}
