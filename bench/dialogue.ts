import { connect, type Socket } from 'node:net'

/** Takes an answer off the front of what has arrived, and says how long it was; undefined while it is not whole.
 *  Throws when this will never be an answer. */
export type Reader<A> = (bytes: Buffer) => { readonly answer: A; readonly length: number } | undefined

/** Longer than any server here holds an answer back; without it a lost answer would hold the bench for ever. */
const ANSWER_WITHIN_MS = 60_000

/** Questions and answers in turn over one kept socket. */
export interface Dialogue {
  /** Rejects when the connection is gone before the answer is whole. */
  ask<A>(question: Buffer | string, read: Reader<A>): Promise<A>
  close(): void
}

export async function openDialogue(host: string, port: number): Promise<Dialogue> {
  const socket: Socket = connect({ host, port, noDelay: true })
  let pending: Buffer = Buffer.alloc(0)
  let broken: Error | undefined
  let onBytes = () => {}
  let onEnd: (error: Error) => void = () => {}
  const end = (error: Error) => {
    broken ??= error
    onEnd(broken)
  }
  socket.setTimeout(ANSWER_WITHIN_MS, () => socket.destroy(new Error(`${host}:${port} does not answer`)))
  socket.on('error', end)
  socket.on('close', () => end(new Error(`${host}:${port} closed a connection before it answered`)))
  await new Promise<void>((resolve, reject) => {
    onEnd = reject
    socket.once('connect', resolve)
  })
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
        onEnd = reject
        onBytes = () => {
          const found = read(pending)
          if (found === undefined) return
          pending = pending.subarray(found.length)
          resolve(found.answer)
        }
        if (question.length > 0) socket.write(question)
        onBytes()
      }),
    close: () => socket.destroy(),
  }
}
