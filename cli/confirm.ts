import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import { CommandFailed, EXIT } from './exit-codes.ts'

/** Asks the person at the terminal. Throws CommandFailed where they say no, or nobody is there to be asked. */
export async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY) {
    throw new CommandFailed(`${question} Nobody is here to be asked: say --yes.`, EXIT.notConfirmed)
  }
  // On stderr, so that what is piped on is the result alone.
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    // Ctrl-C and Ctrl-D close it without an answer.
    const closed = once(terminal, 'close').then(() => '')
    const asked = terminal.question(`${question} [y/N] `).catch(() => '')
    const answer = await Promise.race([asked, closed])
    if (/^y(es)?$/i.test(answer.trim())) return
  } finally {
    terminal.close()
  }
  throw new CommandFailed('Nothing was changed.', EXIT.notConfirmed)
}
