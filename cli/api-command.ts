import { Command } from 'commander'
import { EXIT } from './exit-codes.ts'

/** A group of commands that are clients of the API. */
export function apiGroup(name: string, description: string, help = ''): Command {
  return new Command(name)
    .description(description)
    .showHelpAfterError()
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? EXIT.done : EXIT.usage))
    .addHelpText('after', `${help}${HELP}`)
}

const HELP = `
The server and the token are those of POSTHORN_API and POSTHORN_API_TOKEN, or
else of the development instance whose data folder is here (dev.json). The
result is text on a terminal and JSON elsewhere.

Exit codes:
  0   done
  1   the server refused, or failed; or what was looked at is not right yet
  2   the command line is wrong
  3   it is not there
  4   it was not confirmed
  69  no server, or no token that it takes`

export function apiCommand(group: Command, name: string, description: string): Command {
  return group
    .command(name)
    .description(description)
    .option('--json', 'for machines: the result as JSON')
    .option('--no-json', 'for people, also in a pipe')
    .option('--account <account>', 'the account, by its id or name, where the token acts in several')
    .option('--url <url>', 'the server; by default POSTHORN_API, or from dev.json in the data folder')
    .option('--token-file <path>', 'holds the API token; by default POSTHORN_API_TOKEN, or from dev.json')
    .option('--data <folder>', 'the data folder of an instance; by default POSTHORN_DATA, or ./.posthorn')
}
