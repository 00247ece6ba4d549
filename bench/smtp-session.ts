import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import { z } from 'zod'
import { type Dialogue, openDialogue, type Reader } from './dialogue.ts'

/** A server that takes SMTP: in clear, or with `ca` (a PEM file) over implicit TLS whose certificate is verified. */
export const SmtpDoor = z.object({
  host: z.string(),
  port: z.number(),
  ca: z.string().optional(),
  login: z.object({ username: z.string(), password: z.string() }).optional(),
})
export type SmtpDoor = z.infer<typeof SmtpDoor>

/** What opens sessions there, up to where the first MAIL may come: greeted, and logged in where there is a login. */
export function sessionOpener(door: SmtpDoor): () => Promise<Dialogue> {
  const { host, port, ca, login } = door
  // Parsing the CA for each connection would cost more than its handshake.
  const trust = ca === undefined ? undefined : createSecureContext({ ca: readFileSync(ca) })
  return async () => {
    const dialogue = await openDialogue({ host, port, trust })
    try {
      await expectReply(dialogue, '', '220')
      await expectReply(dialogue, 'EHLO bench.example\r\n', '250')
      if (login !== undefined) {
        // RFC 4616 §2, with the initial response of RFC 4954 §4
        const response = Buffer.from(`\0${login.username}\0${login.password}`).toString('base64')
        await expectReply(dialogue, `AUTH PLAIN ${response}\r\n`, '235')
      }
      return dialogue
    } catch (error) {
      dialogue.close()
      throw error
    }
  }
}

/** Rejects when the reply does not start with `code`. */
export async function expectReply(dialogue: Dialogue, command: string, code: string): Promise<void> {
  const [reply = ''] = await dialogue.ask(command, replies(1))
  if (!reply.startsWith(code)) throw new Error(`The server answered ${reply}`)
}

/** The last lines of that many replies (RFC 5321 §4.2.1: a hyphen after the code says that another line follows). */
export function replies(count: number): Reader<readonly string[]> {
  return (bytes) => {
    const text = bytes.toString('latin1')
    const found: string[] = []
    for (let at = 0, end = text.indexOf('\r\n'); end !== -1; at = end + 2, end = text.indexOf('\r\n', at)) {
      if (text[at + 3] !== '-') found.push(text.slice(at, end))
      if (found.length === count) return { answer: found, length: end + 2 }
    }
    return undefined
  }
}
