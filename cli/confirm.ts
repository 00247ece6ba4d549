import { once } from 'node:events'
import { createInterface } from 'node:readline/promises'
import { CommandFailed, EXIT } from './exit-codes.ts'
import { page } from './page.ts'
import { plain } from './text-table.ts'
import { wrapText } from './wrap-text.ts'

/** Asks the person at the terminal. Throws CommandFailed where they say no, or nobody is there to be asked; `flag` is
 *  what says yes on the command line. */
export async function confirm(question: string, flag = '--yes'): Promise<void> {
  if (!process.stdin.isTTY) {
    const detail = `${question} Nobody is here to be asked: say ${flag}.`
    throw new CommandFailed(detail, EXIT.notConfirmed)
  }
  // On stderr, so that what is piped on is the result alone.
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    // Ctrl-C and Ctrl-D close it without an answer.
    const closed = once(terminal, 'close').then(() => '')
    const asked = terminal
      .question(`${wrapText(plain(`${question} [y/N]`), page(process.stderr).width)} `)
      .catch(() => '')
    const answer = await Promise.race([asked, closed])
    if (/^y(es)?$/i.test(answer.trim())) return
  } finally {
    terminal.close()
  }
  throw new CommandFailed('Nothing was changed.', EXIT.notConfirmed)
}
