import { z } from 'zod'
import { answerParent } from './child.ts'
import type { Dialogue } from './dialogue.ts'
import { SmtpDoor, sessionOpener } from './smtp-session.ts'

/** Holds SMTP connections open in a process of its own: each says EHLO, logs in where the door has a login, and then
 *  nothing. In: questions of the bench. Out: how many stand. */
export const IdleQuestion = z.discriminatedUnion('ask', [
  z.object({ ask: z.literal('open'), door: SmtpDoor, connections: z.number().int().positive() }),
  z.object({ ask: z.literal('standing') }),
  z.object({ ask: z.literal('close') }),
])
export const IdleAnswer = z.number()

/** Handshakes at once; a server may well limit those that are half done. */
const HANDSHAKES = 20

let held: Dialogue[] = []

if (import.meta.main) {
  answerParent(async (asked) => {
    const question = IdleQuestion.parse(asked)
    if (question.ask === 'open') await open(question.door, question.connections)
    if (question.ask === 'close') close()
    return held.filter(({ ended }) => !ended).length
  })
}

async function open(door: SmtpDoor, connections: number): Promise<void> {
  const openSession = sessionOpener(door)
  const wanted = held.length + connections
  let begun = held.length
  async function openInTurn(): Promise<void> {
    while (begun < wanted) {
      begun++
      held.push(await openSession())
    }
  }
  await Promise.all(Array.from({ length: HANDSHAKES }, openInTurn))
}

function close(): void {
  for (const dialogue of held) dialogue.close()
  held = []
}
