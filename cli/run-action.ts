import { Command } from 'commander'
import { CommandFailed } from './exit-codes.ts'
import { tellFailure } from './tell-failure.ts'

/** An action of commander's: it gets the command's arguments first, then its options. Failures that were expected end in
 *  a sentence on stderr and their exit code. `open` makes the client that the options say. */
export function runAction<Options extends object, Client, Args extends readonly unknown[]>(
  open: (options: Options) => Promise<Client>,
  work: (client: Client, options: Options, ...args: Args) => Promise<void>,
): (...given: [...Args, Options, Command]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1)
    // The types above say what stands where.
    const args = given.slice(0, -2) as unknown as Args
    if (!(command instanceof Command)) throw new Error('commander calls with the command last')
    const options = command.opts<Options>()
    try {
      await work(await open(options), options, ...args)
    } catch (error) {
      if (!(error instanceof CommandFailed)) throw error
      tellFailure(error.message)
      process.exitCode = error.exitCode
    }
  }
}
