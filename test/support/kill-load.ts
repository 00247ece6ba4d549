import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { dotStuff } from '#protocol/dot-stuffing.ts'
import { connectSmtp } from '#smtp/client.ts'
import type { Instance } from './instance.ts'
import { SENDER } from './routing-instance.ts'
import { startSmtpServer } from './smtp-server.ts'

/** Mail through an instance that is killed again and again, and what became of it. */

/** How each recipient's server receives: at once, after putting it off once, or after longer than its sender waits. */
export const KINDS = ['prompt', 'busy', 'slow'] as const

/** Larger than what a content may have in memory. */
const LARGE = 'A line of a large message, which goes through a file of the spool.\r\n'.repeat(6000)

export interface Ledger {
  /** Names of messages that were answered 250. */
  readonly acknowledged: Set<string>
  sent: number
  /** Answered with anything else. */
  refused: number
  /** The connection ended before the answer: forwarded, or not. */
  ambiguous: number
}

export function openLedger(): Ledger {
  return { acknowledged: new Set(), sent: 0, refused: 0, ambiguous: 0 }
}

/** Where mail goes: a server that stays while the instance is killed. Copies by what the message is called. */
export interface Destination {
  readonly port: number
  readonly copies: ReadonlyMap<string, number>
}

/** One session for as long as it lives; each message is for the next of the recipients, and is named in `X-Name`. */
export async function keepSending(
  instance: Instance,
  { ledger, recipients, signal }: { ledger: Ledger; recipients: readonly string[]; signal: AbortSignal },
): Promise<void> {
  const { host, port } = instance.dev.mx
  const connection = await connectSmtp({
    ...{ host, address: host, port, ehloName: 'mail.pass.posthorn.test', tls: 'none' },
  })
  if (!connection.ok) return
  while (!signal.aborted) {
    const serial = ledger.sent++
    const name = `n${serial}`
    const head = `From: ${SENDER}\r\nSubject: kill\r\nX-Name: ${name}\r\n\r\n`
    const content = Buffer.from(head + (serial % 20 === 0 ? LARGE : 'Hello\r\n'))
    const result = await connection.transact({
      mailFrom: SENDER,
      rcptTo: recipients[serial % recipients.length] ?? '',
      content: { dotStuffed: dotStuff(content), size: content.length, eightBit: false, smtpUtf8: false },
    })
    if (result.kind === 'accepted') ledger.acknowledged.add(name)
    else if (result.kind === 'lost') {
      ledger.ambiguous++
      return
    } else ledger.refused++
  }
  await connection.quit()
}

/** `waitMs`: how long senders wait. */
export async function startDestination(t: TestContext, waitMs: number): Promise<Destination> {
  const copies = new Map<string, number>()
  const putOff = new Set<string>()
  const { port } = await startSmtpServer(t, {
    limits: { errors: Number.POSITIVE_INFINITY },
    handler: {
      data({ envelope }) {
        const [to = ''] = envelope.to
        const chunks: Buffer[] = []
        return {
          write: (chunk) => void chunks.push(Buffer.from(chunk)),
          async end() {
            const [, name = ''] = /^X-Name: (\S+)/m.exec(Buffer.concat(chunks).toString('latin1')) ?? []
            if (to.startsWith('slow@')) await sleep(2 * waitMs)
            if (to.startsWith('busy@') && !putOff.has(name)) {
              putOff.add(name)
              return { code: 451, enhanced: '4.7.1', text: 'Come again' }
            }
            copies.set(name, (copies.get(name) ?? 0) + 1)
            return { code: 250, enhanced: '2.0.0', text: 'Kept' }
          },
          abort: () => {},
        }
      },
    },
  })
  return { port, copies }
}

export function copiesBeyondTheFirst({ copies }: Destination): number {
  return [...copies.values()].reduce((sum, count) => sum + count - 1, 0)
}

/** Deliveries that are under way or wait. */
export function unsettled(directory: string): number {
  return countIn(directory, `select count(*) as n from delivery where state in ('waiting', 'claimed')`)
}

/** `sql` selects one number, `n`. */
export function countIn(directory: string, sql: string): number {
  using db = new DatabaseSync(join(directory, 'posthorn.sqlite'), { readOnly: true, timeout: 5000 })
  return Number(db.prepare(sql).get()?.['n'])
}
