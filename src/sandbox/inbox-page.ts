import type { FastifyPluginAsync } from 'fastify'
import type { Inbox } from './inbox.ts'
import type { MessageSummary } from './message-summary.ts'

const SHOWN = 50

/** A page at `/` for whoever opens the instance in a browser: the newest messages, each with its source. It runs no
 *  script and loads nothing, so that no mail can do anything in it. */
export function inboxPage(inbox: Inbox): FastifyPluginAsync {
  return async (app) => {
    app.get('/', async (_request, reply) => {
      const messages = await inbox.list({ start: 0, limit: SHOWN })
      return reply
        .header(
          'content-security-policy',
          "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        )
        .header('referrer-policy', 'no-referrer')
        .header('cache-control', 'no-store')
        .type('text/html; charset=utf-8')
        .send(page(messages))
    })
  }
}

function page(messages: readonly MessageSummary[]): string {
  const rows = messages.map(row).join('\n')
  const none = '<p>No mail yet. What is sent through this instance, to anyone, lands here.</p>'
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Inbox · Posthorn</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; color: #1d2530; background: #fff }
h1 { font-size: 1.4rem; margin: 0 0 .25rem }
p { color: #56616f; margin: 0 0 1.5rem }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .45rem .75rem .45rem 0; border-bottom: 1px solid #e3e7ec; vertical-align: top; overflow-wrap: anywhere }
th { font-weight: 600; color: #56616f }
td:last-child, th:last-child { white-space: nowrap; padding-right: 0 }
a { color: #0b5cad }
@media (prefers-color-scheme: dark) { body { color: #e4e8ee; background: #14181d } p, th { color: #9aa5b3 } th, td { border-color: #2b323b } a { color: #7db7f0 } }
</style>
</head>
<body>
<h1>Inbox</h1>
<p>The newest ${SHOWN} messages of this development instance. Nothing here left the machine. As JSON: <a href="/api/v1/messages">/api/v1/messages</a></p>
${messages.length === 0 ? none : `<table>\n<thead><tr><th>Subject</th><th>From</th><th>To</th><th>Received (UTC)</th><th>Open</th></tr></thead>\n<tbody>\n${rows}\n</tbody>\n</table>`}
</body>
</html>
`
}

function row({ ID, Subject, From, Envelope, Created }: MessageSummary): string {
  const id = encodeURIComponent(ID)
  const links = `<a href="/api/v1/message/${id}/raw">source</a> <a href="/api/v1/message/${id}">JSON</a>`
  const received = new Date(Created).toISOString().slice(0, 19).replace('T', ' ')
  const to = Envelope.To.map(isolate).join(', ')
  const cells = [isolate(Subject || '(no subject)'), isolate(From.Address), to, received]
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join('')}<td>${links}</td></tr>`
}

/** Text in its own direction: one that runs from right to left turns nothing around that stands beside it. */
function isolate(text: string): string {
  return `<bdi>${escapeHtml(text)}</bdi>`
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
