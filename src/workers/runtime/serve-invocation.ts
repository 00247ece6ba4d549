import { answerJson, answerStatus, type HostRequest } from './host-door.ts'
import type { EmailInvocation, Invocations, Verdict } from './invocations.ts'
import { fromBase64, readOutgoing } from './read-outgoing.ts'
import { parsed, readException, record } from './worker-trace.ts'

const LARGEST_REPLY = 36 * 1_048_576
const LARGEST_FORWARD = 262_144

/** What `email()` asks of the host. Who has no token of an invocation that is under way gets nothing. */
export async function serveInvocation(asked: HostRequest, invocations: Invocations): Promise<void> {
  const { request, response } = asked
  const token = request.headers['x-posthorn-invocation']
  const invocation = typeof token === 'string' ? invocations.open(token) : undefined
  if (typeof token !== 'string' || !invocation) {
    return answerJson(response, OVER)
  }
  switch (request.url) {
    case 'http://host/forward':
      return forward(asked, invocation)
    case 'http://host/reply': {
      const message = await readOutgoing(asked, LARGEST_REPLY)
      if (message) answerJson(response, await invocation.host.reply(message))
      return
    }
    case 'http://host/headers':
      return answerJson(response, invocation.headers)
    case 'http://host/settle':
      invocations.end(token)
      invocation.settle(readVerdict(fromBase64(request.headers['x-posthorn-verdict'])))
      response.end()
      return
    default:
      return answerStatus(response, 404, 'Not found')
  }
}

const OVER = { code: 'E_INTERNAL_SERVER_ERROR', message: 'The message is settled: its handler has returned.' }

async function forward({ response, body }: HostRequest, { host }: EmailInvocation): Promise<void> {
  const text = await body(LARGEST_FORWARD)
  if (!text) return
  const { rcptTo, headers } = record(parsed(text.toString())) ?? {}
  answerJson(response, await host.forward(String(rcptTo), keptHeaders(headers)))
}

/** What a forward says of its own way, and counts its loops by: said twice, readers would take the Worker's. */
const PLATFORM = /^x-(forwarded-(for|to)|posthorn-.*)$/i

/** Only headers with an `X-` prefix can be added through `forward()`; others are removed. */
function keptHeaders(headers: unknown): readonly (readonly [string, string])[] {
  if (!Array.isArray(headers)) return []
  return headers.flatMap((pair: unknown): [string, string][] => {
    if (!Array.isArray(pair)) return []
    const [name, value]: unknown[] = pair
    if (typeof name !== 'string' || typeof value !== 'string') return []
    // The form of a field's name (RFC 5322 §3.6.8); no control character ends the field early.
    const isKept =
      !PLATFORM.test(name) && /^x-[!-9;-~]+$/i.test(name) && !/[\p{Cc}]/u.test(value.replaceAll('\t', ' '))
    return isKept ? [[name.toLowerCase(), value]] : []
  })
}

function readVerdict(text: string): Verdict {
  const { reason, exception } = record(parsed(text)) ?? {}
  const thrown = record(exception)
  return {
    ...(typeof reason === 'string' && { reason }),
    ...(thrown && { exception: readException(thrown) }),
  }
}
