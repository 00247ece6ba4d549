import Fastify, { type FastifyInstance, type InjectOptions } from 'fastify'
import { openBodies } from '#bodies/bodies.ts'
import { type Inbox, openInbox } from '#sandbox/inbox.ts'
import { type InboxApiOptions, inboxApi } from '#sandbox/inbox-api.ts'
import type { MessageSummary } from '#sandbox/message-summary.ts'
import type { MessageView } from '#sandbox/message-view.ts'
import { onBothEngines } from './stores.ts'

/** The API of an inbox, and mail for it. */
export interface InboxWorld {
  readonly inbox: Inbox
  readonly app: FastifyInstance
  readonly add: (lines: readonly string[], to?: readonly string[]) => Promise<string>
  readonly get: (path: string) => Promise<Response>
  readonly call: (options: InjectOptions) => Promise<Response>
}

interface Response {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
  readonly octets: Buffer
  readonly json: Body
}

/** Every answer's fields together: each test states those that it expects. */
interface Body extends MessageView {
  readonly Error: string
  readonly messages: readonly MessageSummary[]
  readonly total: number
  readonly unread: number
  readonly count: number
  readonly messages_count: number
  readonly messages_unread: number
  readonly Version: string
  readonly Messages: number
  readonly Unread: number
  readonly DatabaseSize: number
  readonly RuntimeStats: Readonly<Record<string, number>>
}

/** A test on both engines. */
export function withApi(
  name: string,
  run: (api: InboxWorld) => Promise<void>,
  options: InboxApiOptions = {},
): void {
  onBothEngines(name, async (_, open) => {
    const inbox = openInbox({ store: open.store, bodies: openBodies(open) })
    const app = Fastify()
    await app.register(inboxApi(inbox, { version: 'v0.1.0', ...options }), { prefix: '/api/v1' })
    const call = async (options: InjectOptions): Promise<Response> => {
      const { statusCode, headers, body, rawPayload } = await app.inject(options)
      const json = headers['content-type']?.toString().startsWith('application/json')
        ? JSON.parse(body)
        : undefined
      return { status: statusCode, headers, text: body, octets: rawPayload, json }
    }
    try {
      await run({
        inbox,
        app,
        call,
        get: (path) => call({ method: 'GET', url: `/api/v1${path}` }),
        add: async (lines, to = ['to@example.com']) => {
          const envelope = { from: 'bounce@example.com', to }
          return (await inbox.add(Buffer.from(lines.join('\r\n')), envelope)).ID
        },
      })
    } finally {
      await app.close()
      await inbox.close()
    }
  })
}
export const PLAIN = [
  'From: Jane Doe <jane@example.com>',
  'To: "Doe, John" <john@example.com>',
  'Subject: Order 17',
  'Message-ID: <17@example.com>',
  'Date: Tue, 06 Jan 2026 10:00:00 +0100',
  'List-Unsubscribe: <mailto:out@example.com>, <https://example.com/out>',
  'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
  '',
  'Your order is on its way.',
]
