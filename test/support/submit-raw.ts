import { readFileSync } from 'node:fs'
import { connect } from 'node:tls'
import type { DevJson } from '#contract/dev-json.ts'
import { asData, replyReader } from './smtp-wire.ts'

/** Only what a client needs of `dev.json`. */
export type SubmissionDoor = Pick<DevJson, 'submission' | 'api_token' | 'ca'>

export interface RawSubmission {
  readonly from: string
  readonly to: string | readonly string[]
  /** As it goes on the wire but for the dots; a string holds one character for each octet. */
  readonly content: Buffer | string
  /** Parameters of MAIL, such as `SIZE=100 BODY=8BITMIME`. */
  readonly parameters?: string
}

/** The least that speaks SMTP over TLS, its server's certificate checked against the instance's CA. A reply is its lines
 *  joined by `\n`; every call rejects when the connection ends, or rests for 30 s, before the reply is there in full. */
export interface SubmissionSession extends Disposable {
  readonly greeting: string
  ask(line: string): Promise<string>
  /** Bytes as they are. */
  write(bytes: Buffer | string): void
  reply(): Promise<string>
  /** One transaction. Resolves with the reply to its content, or with the first that refused something before it. */
  submit(message: RawSubmission): Promise<string>
}

/** Sends one message in a session of its own; resolves with the final reply. */
export async function submitRaw(door: SubmissionDoor, message: RawSubmission): Promise<string> {
  using session = await openSubmission(door)
  const reply = await session.submit(message)
  await session.ask('QUIT')
  return reply
}

/** A session that is greeted and logged in. */
export async function openSubmission(door: SubmissionDoor): Promise<SubmissionSession> {
  const { host, port, username } = door.submission
  const socket = connect({ host, port, servername: host, ca: readFileSync(door.ca) })
  socket.setNoDelay(true)
  socket.setTimeout(30_000, () => socket.destroy(new Error('the server said nothing for 30 s')))
  const reply = replyReader(socket)
  const session = {
    write: (bytes: Buffer | string) => void socket.write(bytes, 'latin1'),
    reply,
    ask(line: string) {
      socket.write(`${line}\r\n`, 'latin1')
      return reply()
    },
    submit: (message: RawSubmission) => submit(session, message),
    [Symbol.dispose]: () => void socket.destroy(),
  }
  try {
    const greeting = await reply()
    await session.ask('EHLO client.example')
    // RFC 4616 §2.
    const response = Buffer.from(`\0${username}\0${door.api_token}`).toString('base64')
    const login = await session.ask(`AUTH PLAIN ${response}`)
    if (!login.startsWith('235')) throw new Error(`the login was answered ${login}`)
    return { ...session, greeting }
  } catch (error) {
    socket.destroy()
    throw error
  }
}

async function submit(
  session: Pick<SubmissionSession, 'ask' | 'write' | 'reply'>,
  { from, to, content, parameters }: RawSubmission,
): Promise<string> {
  const commands = [
    `MAIL FROM:<${from}>${parameters === undefined ? '' : ` ${parameters}`}`,
    ...[to].flat().map((recipient) => `RCPT TO:<${recipient}>`),
    'DATA',
  ]
  for (const command of commands) {
    const answer = await session.ask(command)
    if (!/^[23]/.test(answer)) return answer
  }
  session.write(asData(content))
  return session.reply()
}
