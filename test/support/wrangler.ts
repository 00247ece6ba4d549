import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { type Ran, runClient } from '#test/client-program.ts'
import type { Instance } from '#test/instance.ts'
import { type Watched, watchProgram } from '#test/watched-program.ts'

const PROGRAM = join(import.meta.dirname, '../../node_modules/wrangler/bin/wrangler.js')

export interface Wrangler extends AsyncDisposable {
  /** The home and working directory of every run. */
  readonly folder: string
  /** Runs it to its end; what it wrote is plain text without colours. */
  run(args: readonly string[], options?: WranglerOptions): Promise<Ran>
  /** Starts one that goes on until it is told to end. It would have the proxy answer its WebSocket, and so has none. */
  watch(command: string): Watched
  /** What a run that succeeds prints, ids as `<id>` and times as `<time>`, one command line given as words. */
  prints(command: string, options?: WranglerOptions): Promise<string>
  /** What a run that fails says is wrong, written in the same way. */
  refuses(command: string, options?: WranglerOptions): Promise<string>
  /** Connections to anywhere but the instance that it wanted so far. */
  strayConnections(): number
}

export interface WranglerOptions {
  /** In place of the development token. */
  readonly token?: string
  readonly environment?: Readonly<Record<string, string>>
  /** Standard input. */
  readonly input?: string
  /** Words that hold spaces, after those of the command. */
  readonly more?: readonly string[]
}

/** The official command line, unmodified, pointed at an instance. It reaches the instance alone: everything else would
 *  go through a proxy that answers nobody and counts. */
export async function openWrangler(instance: Instance): Promise<Wrangler> {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-wrangler-'))
  let stray = 0
  const proxy = createServer((socket) => {
    stray++
    socket.destroy()
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const address = proxy.address()
  assert.ok(address !== null && typeof address === 'object')
  const proxyUrl = `http://127.0.0.1:${address.port}`
  noteUpdateCheck(folder)

  function environmentOf({ token, environment }: WranglerOptions): Readonly<Record<string, string>> {
    const { dev } = instance
    return {
      CLOUDFLARE_API_BASE_URL: dev.api,
      CLOUDFLARE_API_TOKEN: token ?? dev.api_token,
      CLOUDFLARE_ACCOUNT_ID: dev.account_id,
      ...QUIET,
      TMPDIR: folder,
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(folder, 'compiled'),
      ...{ HTTP_PROXY: proxyUrl, HTTPS_PROXY: proxyUrl, NO_PROXY: 'localhost' },
      ...environment,
    }
  }

  async function run(args: readonly string[], options: WranglerOptions = {}): Promise<Ran> {
    const { more = [], input } = options
    const ran = await runClient(process.execPath, [PROGRAM, ...args, ...more], {
      folder,
      ...(input !== undefined && { input }),
      environment: environmentOf(options),
    })
    return {
      status: ran.status,
      stdout: stripVTControlCharacters(ran.stdout),
      stderr: stripVTControlCharacters(ran.stderr),
    }
  }

  return {
    folder,
    run,
    watch: (command) =>
      watchProgram(process.execPath, [PROGRAM, ...command.split(' ')], {
        folder,
        environment: environmentOf({ environment: { HTTP_PROXY: '', HTTPS_PROXY: '' } }),
      }),
    async prints(command, options) {
      const { status, stdout, stderr } = await run(command.split(' '), options)
      assert.equal(status, 0, `${command}\n${stdout}${stderr}`)
      return plain(stdout)
    },
    async refuses(command, options) {
      const { status, stdout, stderr } = await run(command.split(' '), options)
      assert.equal(status, 1, `${command}\n${stdout}${stderr}`)
      return plain(stderr)
        .split('\n')
        .filter(
          (line) =>
            line !== '' &&
            !/Logs were written|If you think this is a bug|open beta|Proxy environment/.test(line),
        )
        .map((line) => line.replace('✘ [ERROR] A request to the Cloudflare API ', '').trim())
        .join('\n')
    },
    strayConnections: () => stray,
    async [Symbol.asyncDispose]() {
      proxy.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Nobody to ask, nothing to report, no banner. */
const QUIET = {
  CI: '1',
  NO_COLOR: '1',
  WRANGLER_HIDE_BANNER: 'true',
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
} as const

/** With this note in its temporary folder it looked for a newer version just now, and found none. */
function noteUpdateCheck(folder: string): void {
  mkdirSync(join(folder, 'update-check'))
  const note = JSON.stringify({ latest: null, lastUpdate: Date.now() })
  writeFileSync(join(folder, 'update-check', 'wrangler-latest.json'), note)
}

/** Without the frames of tables, and with one word for what is never the same. */
function plain(text: string): string {
  return text
    .replaceAll(/\b[0-9a-f]{32}\b/g, '<id>')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/g, '<time>')
    .replaceAll(/\bp=[\w+/]{300,}=*/g, 'p=<key>')
    .split('\n')
    .filter((line) => !/^[┌├└]/.test(line))
    .map((line) => line.replaceAll(/ +│/g, ' │').trimEnd())
    .join('\n')
    .trim()
}
