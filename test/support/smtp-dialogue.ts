import assert from 'node:assert/strict'
import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'

/** Plays one side of an SMTP dialogue, written as RFC 5321 appendix D writes them:
 *
 *      s: 220 mx.test Posthorn Email ESMTP Service ready
 *      c: EHLO client.test
 *      s: 250-mx.test greets client.test
 *      s: 250 …
 *
 *  A side may be in upper case as well. Lines of the side that is played are sent, several in a row in one write; lines
 *  of the other side are awaited, CRLF included. `…` at the end of an awaited line stands for any rest. `\r`, `\n`, `\0`, `\xHH` are bytes, and a sent line
 *  that ends in `\` gets no CRLF. `(close)` ends a side, `(reset)` cuts the connection, `(end)` ends this side's half;
 *  `(deaf)` stops reading, `(quiet)` makes sure that the other side has nothing to say for the moment,
 *  and `(bytes)` takes whatever it says.
 *  Empty lines and lines that start with `#` are nothing. */
export type Side = 'c' | 's'

interface Turn {
  readonly side: Side
  readonly text: string
}

const WAIT_MS = 5000

export async function play(socket: Socket, side: Side, script: string): Promise<void> {
  const peer = new Peer(socket)
  const turns = parse(script)
  let batch = ''
  for (const turn of turns) {
    if (turn.side === side && !turn.text.startsWith('(')) {
      batch += bytesOf(turn.text)
      continue
    }
    if (batch !== '') socket.write(batch, 'latin1')
    batch = ''
    if (turn.side === side) act(socket, turn.text)
    else if (turn.text === '(close)') await peer.closed(turn)
    else if (turn.text === '(quiet)') await peer.quiet()
    else if (turn.text === '(bytes)') await peer.bytes()
    else await peer.expect(turn)
  }
  if (batch !== '') socket.write(batch, 'latin1')
}

/** Connects to a server and plays the client. */
export async function playClient(port: number, script: string): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  try {
    await play(socket, 'c', script)
  } finally {
    socket.destroy()
  }
}

/** Plays the client over TLS from the first byte, trusting anyone unless `options` say otherwise. */
export async function playTlsClient(
  port: number,
  script: string,
  options: ConnectionOptions = {},
): Promise<void> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  try {
    await play(socket, 'c', script)
  } finally {
    socket.destroy()
  }
}

export interface PlayedServer extends AsyncDisposable {
  readonly port: number
  /** Rejects where a client did not say what the script wants of it. */
  readonly done: Promise<void>
}

/** A server that plays one script for each connection, in turn. */
export async function playServer(...scripts: readonly string[]): Promise<PlayedServer> {
  const sockets = new Set<Socket>()
  const plays: Promise<void>[] = []
  let allPlayed: (() => void) | undefined
  const started = new Promise<void>((resolve) => {
    allPlayed = resolve
  })
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    const script = scripts[plays.length]
    assert.ok(script !== undefined, 'one connection too many')
    plays.push(play(socket, 's', script))
    if (plays.length === scripts.length) allPlayed?.()
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const done = (async () => {
    await started
    await Promise.all(plays)
  })()
  // A test that fails first must not also end the process.
  done.catch(() => {})
  return {
    port: address.port,
    done,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

function parse(script: string): Turn[] {
  return script
    .split('\n')
    .map((line) => line.trimStart())
    .filter((line) => line.trim() !== '' && !line.startsWith('#'))
    .map((line) => {
      const side = line[0]?.toLowerCase()
      assert.ok((side === 'c' || side === 's') && line[1] === ':', `not a line of a dialogue: ${line}`)
      return { side, text: line.slice(2).replace(/^ /, '') }
    })
}

function bytesOf(text: string): string {
  const open = text.endsWith('\\') && !text.endsWith('\\\\')
  return unescape(open ? text.slice(0, -1) : text) + (open ? '' : '\r\n')
}

function unescape(text: string): string {
  const named: Record<string, string> = { r: '\r', n: '\n', 0: '\0', '\\': '\\' }
  return text.replaceAll(
    /\\(?:([rn0\\])|x([0-9a-f]{2}))/gi,
    (_, name: string | undefined, hex: string | undefined) =>
      name === undefined ? String.fromCharCode(Number.parseInt(hex ?? '', 16)) : (named[name] ?? ''),
  )
}

function act(socket: Socket, action: string): void {
  if (action === '(reset)') socket.resetAndDestroy()
  else if (action === '(deaf)') socket.pause()
  else if (action === '(close)' || action === '(end)') socket.end()
  else assert.fail(`unknown action ${action}`)
}

class Peer {
  #received = ''
  #ended = false
  #wake: () => void = () => {}

  constructor(socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1')
      this.#wake()
    })
    const ended = () => {
      this.#ended = true
      this.#wake()
    }
    socket.on('end', ended)
    socket.on('close', ended)
    socket.on('error', ended)
  }

  async expect({ side, text }: Turn): Promise<void> {
    await this.#until(() => this.#received.includes('\r\n') || this.#ended, `${side}: ${text}`)
    const end = this.#received.indexOf('\r\n')
    const line = end === -1 ? this.#received : this.#received.slice(0, end)
    this.#received = end === -1 ? '' : this.#received.slice(end + 2)
    assert.ok(end !== -1, `${side} closed after ${JSON.stringify(line)}; expected ${text}`)
    const wanted = unescape(text)
    if (wanted.endsWith('…'))
      assert.equal(line.slice(0, wanted.length - 1), wanted.slice(0, -1), `in ${line}`)
    else assert.equal(line, wanted)
  }

  async closed({ side }: Turn): Promise<void> {
    await this.#until(() => this.#ended, `${side}: (close)`)
    assert.equal(this.#received, '', `${side} said more before it closed`)
  }

  async quiet(): Promise<void> {
    await sleep(30)
    assert.equal(this.#received, '', 'there was something to say')
  }

  async bytes(): Promise<void> {
    await this.#until(() => this.#received !== '', '(bytes)')
    this.#received = ''
  }

  async #until(condition: () => boolean, wanted: string): Promise<void> {
    const deadline = AbortSignal.timeout(WAIT_MS)
    while (!condition()) {
      assert.ok(!deadline.aborted, `waited for ${wanted}, got ${JSON.stringify(this.#received)}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        deadline.addEventListener('abort', () => resolve(), { once: true })
      })
    }
  }
}

/** Scripts that many dialogues begin with: greeted by HELO, and from there up to the 354, pipelined. */
export const OPENING = `
  s: 220 mx.test Posthorn Email ESMTP Service ready
  c: HELO client.test
  s: 250 mx.test greets client.test
`
export const TO_DATA = `${OPENING}
  c: MAIL FROM:<a@client.test>
  c: RCPT TO:<b@mx.test>
  c: DATA
  s: 250 …
  s: 250 …
  s: 354 …
`
