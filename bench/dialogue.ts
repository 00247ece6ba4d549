import { connect } from 'node:net'
import { connect as connectTls, type SecureContext } from 'node:tls'

/** Takes an answer off the front of what has arrived, and says how long it was; undefined while it is not whole.
 *  Throws when this will never be an answer. */
export type Reader<A> = (bytes: Buffer) => { readonly answer: A; readonly length: number } | undefined

/** Longer than any server here holds an answer back; without it a lost answer would hold the bench for ever. */
const ANSWER_WITHIN_MS = 60_000
/** Doors listen on an address; their certificates are made out for this name too. */
const SERVERNAME = 'localhost'

/** Questions and answers in turn over one kept socket. */
export interface Dialogue {
  /** Rejects when the connection is gone before the answer is whole. An empty question only waits. */
  ask<A>(question: Buffer | string, read: Reader<A>): Promise<A>
  /** What wants no answer. Resolves when the socket has taken it. */
  write(bytes: Buffer): Promise<void>
  /** The connection is gone, whoever ended it. */
  readonly ended: boolean
  close(): void
}

export interface DialogueOptions {
  readonly host: string
  readonly port: number
  /** Whom to trust: then it is TLS from the first byte, and the certificate must hold. */
  readonly trust?: SecureContext | undefined
}

export async function openDialogue({ trust, ...to }: DialogueOptions): Promise<Dialogue> {
  const { host, port } = to
  const socket =
    trust === undefined ? connect(to) : connectTls({ ...to, servername: SERVERNAME, secureContext: trust })
  let pending: Buffer = Buffer.alloc(0)
  let broken: Error | undefined
  let waiting = true
  let onBytes = () => {}
  let onEnd: (error: Error) => void = () => {}
  const end = (error: Error) => {
    broken ??= error
    onEnd(broken)
  }
  socket.setNoDelay(true)
  // An idle connection may be silent as long as it likes.
  socket.setTimeout(ANSWER_WITHIN_MS, () => {
    if (waiting) socket.destroy(new Error(`${host}:${port} does not answer`))
  })
  socket.on('error', end)
  socket.on('close', () => end(new Error(`${host}:${port} closed a connection before it answered`)))
  await new Promise<void>((resolve, reject) => {
    onEnd = reject
    socket.once(trust === undefined ? 'connect' : 'secureConnect', resolve)
  })
  waiting = false
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    try {
      onBytes()
    } catch (error) {
      socket.destroy(new Error(`${host}:${port} answered what cannot be read`, { cause: error }))
    }
  })
  return {
    ask: (question, read) =>
      new Promise((resolve, reject) => {
        if (broken !== undefined) return reject(broken)
        waiting = true
        onEnd = reject
        onBytes = () => {
          const found = read(pending)
          if (found === undefined) return
          waiting = false
          onBytes = () => {}
          pending = pending.subarray(found.length)
          resolve(found.answer)
        }
        if (question.length > 0) socket.write(question)
        onBytes()
      }),
    write: (bytes) =>
      new Promise((resolve, reject) => {
        onEnd = reject
        socket.write(bytes, (error) => (error ? reject(error) : resolve()))
      }),
    get ended() {
      return broken !== undefined
    },
    close: () => socket.destroy(),
  }
}
