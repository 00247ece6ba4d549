import assert from 'node:assert/strict'
import { join } from 'node:path'
import { contentBytes } from '#bodies/read-content.ts'
import { openSpool, type Spool } from '#bodies/spool.ts'
import { createMxServer } from '#ingress/smtp-mx/mx-server.ts'
import { openMxPeers } from '#ingress/smtp-mx/peers.ts'
import { SPOOL_FULL } from '#ingress/smtp-mx/spool-full.ts'
import { openCertificateAuthority } from '#net/certificate-authority.ts'
import { networkOf } from '#net/network-of.ts'
import { openLog } from '#observe/log.ts'
import { memoryShares } from '#smtp/content-buffer.ts'
import type { DataSink, SmtpHandler, SmtpSession } from '#smtp/handler.ts'
import { declaredSize } from '#smtp/mail-parameters.ts'
import type { SmtpServer } from '#smtp/server.ts'
import { DEFAULT_LIMITS, type SmtpLimits } from '#smtp/server-limits.ts'
import { type FeedbackWorld, openFeedbackWorld } from './feedback-world.ts'
import { openTestStore } from './stores.ts'

/** The MX door with what comes back about sent mail behind it, and somebody who takes the mail of yourdomain.com, from
 *  the spool: everybody there exists but `unknown…`. 127.0.0.2 is on the block list `abusixip`, and its name is
 *  mail.remote.example. */
export interface MxWorld extends AsyncDisposable {
  readonly feedback: FeedbackWorld
  readonly returnPath: string
  readonly directory: string
  readonly certificate: Parameters<typeof createMxServer>[0]['certificate']
}

/** Limits of the server, options of the guard, `spoolMemory` and `spoolDisk`. */
export type MxSettings = Readonly<Record<string, number>>

export interface MxDoor extends AsyncDisposable {
  readonly server: SmtpServer
  readonly port: number
  readonly messages: { readonly from: string; readonly to: readonly string[]; readonly content: string }[]
  /** Recipients whose owner is to be told. */
  readonly refused: string[]
  /** Octets that the spool has. */
  held(): { readonly memory: number; readonly disk: number }
}

export async function openMxWorld(): Promise<MxWorld> {
  const store = await openTestStore('sqlite')
  const feedback = await openFeedbackWorld(store)
  const { directory } = store
  const ca = await openCertificateAuthority({ folder: join(directory, 'ca'), serviceDomain: 'posthorn.test' })
  const { returnPath } = await feedback.delivered('someone@remote.example')
  return {
    feedback,
    returnPath,
    directory,
    certificate: () => ca.leaf,
    async [Symbol.asyncDispose]() {
      await feedback[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    },
  }
}

const GUARD = [
  'connectionsPerMinute',
  'messagesPerMinute',
  'unknownRecipients',
  'tarpitMs',
  'greetingDelayMs',
]
const SPOOL = { spoolMemory: 16 * 1024 * 1024, spoolDisk: 64 * 1024 * 1024 }

export async function openMxDoor(world: MxWorld, settings: MxSettings = {}): Promise<MxDoor> {
  for (const name of Object.keys(settings))
    assert.ok(GUARD.includes(name) || name in SPOOL || name in DEFAULT_LIMITS, `${name} is no setting`)
  const log = openLog('silent')
  const { spoolMemory, spoolDisk } = { ...SPOOL, ...settings }
  const memory = memoryShares({ limit: spoolMemory, most: spoolMemory })
  const disk = memoryShares({ limit: spoolDisk, most: spoolDisk })
  const spool = await openSpool({ directory: world.directory, memory, disk, keepFree: 0 })
  const messages: MxDoor['messages'] = []
  const refused: string[] = []
  const server = createMxServer({
    hostname: 'route1.mx.posthorn.test',
    certificate: world.certificate,
    feedback: world.feedback.feedback,
    fallback: takerOf(spool, messages),
    log,
    limits: pick(settings, (name): name is keyof SmtpLimits => name in DEFAULT_LIMITS),
    guard: {
      ...pick(settings, (name) => GUARD.includes(name)),
      peers: openMxPeers({ dns: DNS, log, blockLists: [{ label: 'abusixip', zone: 'key.list.example' }] }),
      help: 'postmaster@posthorn.test',
      spared: (to) => to === 'postmaster',
      refused: ({ to }) => void refused.push(to),
      isCounted: () => true,
    },
  })
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 })
  return {
    server,
    port,
    messages,
    refused,
    held: () => ({
      memory: spoolMemory - memory.of('nobody').free,
      disk: spoolDisk - disk.of('nobody').free,
    }),
    [Symbol.asyncDispose]: () => server.close({ graceMs: 0 }),
  }
}

function pick(settings: MxSettings, wanted: (name: string) => boolean): Record<string, number> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => wanted(name)))
}

const LISTED: Readonly<Record<string, string>> = { '2.0.0.127.key.list.example': '127.0.0.2' }

const DNS: Parameters<typeof openMxPeers>[0]['dns'] = {
  a: async (name) => {
    const address = LISTED[name]
    return address === undefined ? { kind: 'no-such-name' } : { kind: 'found', records: [{ address }] }
  },
  ptr: async (name) =>
    name === '2.0.0.127.in-addr.arpa'
      ? { kind: 'found', records: ['mail.remote.example'] }
      : { kind: 'no-such-name' },
  addresses: async (name) =>
    name === 'mail.remote.example'
      ? { kind: 'found', records: [{ address: '127.0.0.2', family: 4 }] }
      : { kind: 'no-such-name' },
}

function takerOf(spool: Spool, messages: MxDoor['messages']): SmtpHandler {
  return {
    mail(session, _, parameters) {
      session.state = declaredSize(parameters)
      return undefined
    },
    rcpt(_, to) {
      if (to.startsWith('unknown')) return { code: 550, enhanced: '5.1.1', text: 'No such address' }
      if (to === 'postmaster' || to.toLowerCase().endsWith('@yourdomain.com')) return undefined
      return { code: 550, enhanced: '5.7.1', text: 'Relaying denied' }
    },
    data: (session) => take(session, spool, messages),
  }
}

function take(
  session: SmtpSession,
  spool: Spool,
  messages: MxDoor['messages'],
): DataSink | typeof SPOOL_FULL {
  const size = typeof session.state === 'number' ? session.state : undefined
  const spooled = spool.open(networkOf(session.remoteAddress), size)
  if (!spooled) return SPOOL_FULL
  const { from = '', to } = session.envelope
  return {
    write: (chunk) => spooled.write(chunk),
    async end() {
      await using held = spooled
      const content = await held.finish()
      if (content === 'full') return SPOOL_FULL
      messages.push({ from, to: [...to], content: (await contentBytes(content)).toString('latin1') })
      return { code: 250, enhanced: '2.0.0', text: 'Kept' }
    },
    abort: () => void spooled.release(),
  }
}
