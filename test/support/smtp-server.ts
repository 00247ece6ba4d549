import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { DataSink, SmtpHandler } from '#smtp/handler.ts'
import { createSmtpServer, type SmtpServer, type SmtpServerOptions } from '#smtp/server.ts'

export interface Collected {
  readonly from: string | undefined
  readonly to: readonly string[]
  readonly content: Buffer
}

/** What a server took in, and how contents ended that it did not take. */
export interface Collector {
  readonly messages: Collected[]
  readonly aborted: Parameters<DataSink['abort']>[0][]
  readonly senders: string[]
  readonly errors: unknown[]
  closed: number
}

export interface CollectingServer extends Collector {
  readonly port: number
  readonly server: SmtpServer
}

/** Starts our server on a free port, closed at the end of the test. It keeps what it takes in, unless `handler` says
 *  otherwise, and answers `250 2.0.0 Kept`. */
export async function startSmtpServer(
  t: TestContext,
  options: Partial<Omit<SmtpServerOptions, 'handler'>> & { readonly handler?: Partial<SmtpHandler> } = {},
): Promise<CollectingServer> {
  const collector: Collector = { messages: [], aborted: [], senders: [], errors: [], closed: 0 }
  const server = createSmtpServer({
    hostname: 'mx.test',
    onError: (error) => collector.errors.push(error),
    ...options,
    handler: { ...collecting(collector), ...options.handler },
  })
  t.after(() => server.close({ graceMs: 0 }))
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  return Object.assign(collector, { port, server })
}

function collecting(collector: Collector): SmtpHandler {
  return {
    mail: (_, from) => {
      collector.senders.push(from)
      return undefined
    },
    data: ({ envelope }) => {
      const { from, to } = envelope
      const chunks: Buffer[] = []
      return {
        write: (chunk) => {
          chunks.push(chunk)
        },
        end: async () => {
          collector.messages.push({ from, to: [...to], content: Buffer.concat(chunks) })
          return { code: 250, enhanced: '2.0.0', text: 'Kept' }
        },
        abort: (reason) => {
          collector.aborted.push(reason)
        },
      }
    },
    close: () => {
      collector.closed += 1
    },
  }
}

/** A connection that knows nothing of SMTP, cut at the end of the test. */
export async function openSocket(t: TestContext, { port }: { readonly port: number }): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  t.after(() => void socket.destroy())
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Waits until it is so; fails after some seconds. */
export async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    assert.ok(tries < 500, 'it never came about')
    await sleep(10)
  }
}
