import { connect } from 'node:net'
import { asData, replyReader } from './smtp-wire.ts'

/** What a stranger says in one transaction. */
export interface StrangersMail {
  readonly from: string
  readonly to: string | readonly string[]
  /** Line ends become CRLF; a Buffer goes as it is. Dots are stuffed. */
  readonly content: string | Buffer
  /** Of MAIL, such as `SMTPUTF8`. */
  readonly parameters?: string
  readonly helo?: string
}

export interface Answered {
  /** To each RCPT, in order. */
  readonly rcpt: readonly string[]
  /** To the content, or to the command that let none follow. */
  readonly reply: string
}

/** The least that speaks SMTP in clear, and says whatever it is told to. A reply is its lines joined by `\n`; a call
 *  rejects when the connection ends, or rests for 30 s, before the reply is there in full. */
export interface MxClient extends Disposable {
  readonly greeting: string
  ask(line: string): Promise<string>
  write(octets: Buffer | string): void
  reply(): Promise<string>
  /** One transaction of a session that said EHLO. */
  transact(mail: Omit<StrangersMail, 'helo'>): Promise<Answered>
  /** Resolves once the other side has closed. */
  readonly closed: Promise<void>
}

export async function openMxClient(port: number, helo = 'mail.pass.example'): Promise<MxClient> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  socket.setTimeout(30_000, () => socket.destroy(new Error('the server said nothing for 30 s')))
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const reply = replyReader(socket)
  const write = (octets: Buffer | string) => void socket.write(octets)
  const ask = (line: string) => {
    write(`${line}\r\n`)
    return reply()
  }
  const client = {
    ...{ ask, write, reply, closed },
    transact: (mail: Omit<StrangersMail, 'helo'>) => transact(client, mail),
    [Symbol.dispose]: () => void socket.destroy(),
  }
  try {
    const greeting = await reply()
    await ask(`EHLO ${helo}`)
    return { ...client, greeting }
  } catch (error) {
    socket.destroy()
    throw error
  }
}

/** One message in a session of its own. */
export async function sendTo(port: number, { helo, ...mail }: StrangersMail): Promise<Answered> {
  using client = await openMxClient(port, helo)
  const answered = await client.transact(mail)
  await client.ask('QUIT').catch(() => undefined)
  return answered
}

async function transact(
  { ask, write, reply }: Pick<MxClient, 'ask' | 'write' | 'reply'>,
  { from, to, content, parameters }: Omit<StrangersMail, 'helo'>,
): Promise<Answered> {
  const mail = await ask(`MAIL FROM:<${from}>${parameters === undefined ? '' : ` ${parameters}`}`)
  if (!mail.startsWith('2')) return { rcpt: [], reply: mail }
  const rcpt: string[] = []
  for (const recipient of [to].flat()) rcpt.push(await ask(`RCPT TO:<${recipient}>`))
  if (!rcpt.some((answer) => answer.startsWith('2'))) return { rcpt, reply: rcpt[0] ?? '' }
  const data = await ask('DATA')
  if (!data.startsWith('354')) return { rcpt, reply: data }
  write(onTheWire(content))
  return { rcpt, reply: await reply() }
}

/** As DATA takes it, with the end of data. */
export function onTheWire(content: string | Buffer): Buffer {
  return asData(
    typeof content === 'string' ? Buffer.from(content.replaceAll(/\r?\n/g, '\r\n'), 'utf8') : content,
  )
}
