import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type DevJson, devJson } from '#contract/dev-json.ts'
import { reasonOf } from './ask-server.ts'
import { CommandFailed, EXIT } from './exit-codes.ts'

/** The data folder that the command line names, or the one by default. */
export function dataFolder(given: string | undefined): string {
  return resolve(given ?? (process.env['POSTHORN_DATA'] || './.posthorn'))
}

/** What a running instance says of itself. Throws CommandFailed where there is none; `otherwise` says what else the
 *  person may do. */
export async function readDevJson(folder: string, otherwise: string): Promise<DevJson> {
  const path = join(folder, 'dev.json')
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new CommandFailed(
      `no instance found: ${path} cannot be read (${reasonOf(error)}). Start one, or ${otherwise}`,
      EXIT.unavailable,
    )
  })
  const read = devJson.safeParse(parse(text))
  if (!read.success)
    throw new CommandFailed(`${path} is not of this version; start the instance again`, EXIT.unavailable)
  const { api, dashboard } = read.data
  const elsewhere = [api, dashboard].find((url) => !LOOPBACK.has(new URL(url).hostname))
  if (elsewhere === undefined) return read.data
  throw new CommandFailed(
    `${path} leads to ${elsewhere}, and a development instance is on this machine alone; a server elsewhere is named by POSTHORN_API or --url`,
    EXIT.unavailable,
  )
}

/** The file may have come with somebody's repository, and the token from the environment would go where it leads. */
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
