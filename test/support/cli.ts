import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

const COMMAND = join(import.meta.dirname, '../../cli/posthorn.ts')

/** The command line as a script uses it: nobody sits at a terminal. */
export function runCli(environment: Record<string, string>, ...args: string[]): Promise<Ran> {
  return run(process.execPath, [COMMAND, ...args], environment)
}

/** Undefined, or why there can be no terminal here. */
export const NO_TERMINAL = spawnSync('script', ['--version']).error && 'script (util-linux) is not installed'

/** The command line in a terminal of this width, at which somebody types. What is shown there is `out`. */
export async function runInTerminal(
  environment: Record<string, string>,
  {
    columns,
    typed = '',
    args,
  }: { readonly columns: number; readonly typed?: string; readonly args: string[] },
): Promise<Ran> {
  const words = [process.execPath, COMMAND, ...args].map((word) => `'${word.replaceAll("'", `'\\''`)}'`)
  const command = `stty cols ${columns}; exec ${words.join(' ')}`
  const ran = await run('script', ['-qec', command, '/dev/null'], environment, typed)
  return { ...ran, out: ran.out.replaceAll('\r\n', '\n') }
}

function run(
  file: string,
  args: readonly string[],
  environment: Record<string, string>,
  typed = '',
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(
      file,
      args,
      { env: { PATH: process.env['PATH'], ...environment } },
      (error, out, err) => resolve({ code: typeof error?.code === 'number' ? error.code : 0, out, err }),
    )
    child.stdin?.end(typed)
  })
}
