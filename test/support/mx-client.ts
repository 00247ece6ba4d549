import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

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

/** RFC 5321 §4.5.2, with the end of data. */
export function onTheWire(content: string | Buffer): Buffer {
  const octets =
    typeof content === 'string' ? Buffer.from(content.replaceAll(/\r?\n/g, '\r\n'), 'utf8') : content
  const lines = `\r\n${octets.toString('latin1')}`.replaceAll('\r\n.', '\r\n..').slice(2)
  return Buffer.from(`${lines}${lines.endsWith('\r\n') ? '' : '\r\n'}.\r\n`, 'latin1')
}

const REPLY = /^(?:\d{3}-[^\r\n]*\r\n)*\d{3}(?: [^\r\n]*)?\r\n/

function replyReader(socket: Socket): () => Promise<string> {
  let received = ''
  let ended: Error | undefined
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1')
    socket.emit('more')
  })
  socket.on('error', (error) => {
    ended = error
  })
  socket.on('close', () => {
    ended ??= new Error('the server closed the connection')
    socket.emit('more')
  })
  return async () => {
    for (;;) {
      const [reply] = REPLY.exec(received) ?? []
      if (reply !== undefined) {
        received = received.slice(reply.length)
        return reply.trimEnd().replaceAll('\r\n', '\n')
      }
      if (ended) throw ended
      await once(socket, 'more')
    }
  }
}
