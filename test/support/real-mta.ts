import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ServerProcess, startServer } from '../../bench/server-process.ts'
import { openTestAuthority } from './test-authority.ts'

/** A mail server that nobody here wrote: as Debian ships it, an instance of its own in a temporary folder, on
 *  loopback, offering STARTTLS, taking mail for every domain into one Maildir. The system's own is not touched. */
export interface RealMta extends AsyncDisposable {
  readonly port: number
  /** What is in the Maildir now, in no order. */
  stored(): readonly StoredCopy[]
  /** How many messages wait in its queue. */
  queued(): number
  /** The end of its log. */
  lastWords(): string
}

export interface StoredCopy {
  /** Its envelope, as the server wrote it down. */
  readonly returnPath: string
  readonly recipient: string
  /** The server's own trace line, unfolded. */
  readonly received: string
  /** As it was on the wire behind what the server put before it, line ends CRLF again. */
  readonly content: Buffer
}

const READY_WITHIN_MS = 20_000

/** Removed with all that is in it. Daemons that give up root have to get in. */
export function mtaFolder(name: string): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), `posthorn-${name}-`))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** For STARTTLS; PEM. */
export async function mtaCertificate(): Promise<{ readonly cert: string; readonly key: string }> {
  const authority = await openTestAuthority()
  return authority.issue(['mail.example'])
}

/** Starts a daemon in the foreground and waits until its port takes connections; rejects with its last words. */
export async function startDaemon(launch: {
  readonly command: string
  readonly args: readonly string[]
  readonly log: string
  readonly port: number
}): Promise<ServerProcess> {
  const { command, args, log, port } = launch
  const server = startServer({ command, args, log, signal: new AbortController().signal })
  const end = Date.now() + READY_WITHIN_MS
  while (!(await takesConnections(port))) {
    if (server.ended || Date.now() > end) {
      await server[Symbol.asyncDispose]()
      throw new Error(`${command} did not start:\n${server.lastWords()}`)
    }
    await sleep(50)
  }
  return server
}

/** A port that was free a moment ago: these servers cannot be told "any". */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => resolve(false))
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

/** The messages of a Maildir. `envelope` names the header fields that the server put before what it took in. */
export function readMaildir(
  folder: string,
  envelope: { readonly returnPath: string; readonly recipient: string; readonly also?: readonly string[] },
): readonly StoredCopy[] {
  const names = listOrNothing(join(folder, 'new'))
  const { returnPath, recipient, also = [] } = envelope
  const added = [returnPath, recipient, ...also, 'Received'].map((name) => name.toLowerCase())
  return names.map((name) => {
    let rest = readFileSync(join(folder, 'new', name), 'latin1')
    const fields = new Map<string, string>()
    for (let field = firstField(rest); added.includes(field.name); field = firstField(rest)) {
      if (fields.has(field.name)) break
      fields.set(field.name, field.value)
      rest = rest.slice(field.length)
    }
    return {
      returnPath: unbracketed(fields.get(envelope.returnPath.toLowerCase())),
      recipient: Buffer.from(unbracketed(fields.get(envelope.recipient.toLowerCase())), 'latin1').toString(),
      received: fields.get('received') ?? '',
      content: Buffer.from(rest.replaceAll('\n', '\r\n'), 'latin1'),
    }
  })
}

function firstField(text: string): {
  readonly name: string
  readonly value: string
  readonly length: number
} {
  const [all = '', name = '', value = ''] = /^([^\s:]+):(.*\n(?:[ \t].*\n)*)/.exec(text) ?? []
  return { name: name.toLowerCase(), value: value.replaceAll(/\s+/g, ' ').trim(), length: all.length }
}

function unbracketed(text = ''): string {
  return text.replaceAll(/^<|>$/g, '')
}

/** Files below a folder whose names end so. */
export function countFiles(folder: string, end = ''): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  return files.filter((file) => file.isFile() && file.name.endsWith(end)).length
}

/** It appears with the first message. */
function listOrNothing(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
