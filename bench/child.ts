import { fork } from 'node:child_process'
import { z } from 'zod'

/** The sink and the load generators are processes of their own, so that neither's work is counted as the other's.
 *  Both ends of the talk between them and the bench are here: the bench asks, the child answers. */
export interface Child extends AsyncDisposable {
  readonly pid: number
  /** Rejects when the child ends, or its work failed. */
  ask<T>(question: unknown, answer: z.ZodType<T>): Promise<T>
}

const Reply = z.union([
  z.object({ id: z.number(), answer: z.unknown() }),
  z.object({ id: z.number(), failure: z.string() }),
])
const Question = z.object({ id: z.number(), question: z.unknown() })

/** `file` is relative to this folder. Aborting the signal ends the child. */
export function startChild(file: string, signal: AbortSignal): Child {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>()
  const child = fork(new URL(file, import.meta.url), { signal, stdio: 'inherit' })
  const ended = new Promise<void>((resolve) => {
    const end = (why: string) => {
      for (const { reject } of waiting.values()) reject(new Error(`${file} ${why}`))
      waiting.clear()
      resolve()
    }
    child.on('error', (error) => end(error.message))
    child.on('exit', (code, by) => end(`ended with ${by ?? code}`))
  })
  child.on('message', (message) => {
    const reply = Reply.parse(message)
    const asked = waiting.get(reply.id)
    waiting.delete(reply.id)
    if ('failure' in reply) asked?.reject(new Error(`${file}: ${reply.failure}`))
    else asked?.resolve(reply.answer)
  })
  let last = 0
  return {
    pid: child.pid ?? -1,
    async ask(question, answer) {
      if (!child.connected) throw new Error(`${file} has ended`)
      const asked = Promise.withResolvers<unknown>()
      const id = ++last
      waiting.set(id, asked)
      child.send({ id, question })
      return answer.parse(await asked.promise)
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await ended
    },
  }
}

/** The child's end. The process ends with its parent. */
export function answerParent(answer: (question: unknown) => unknown): void {
  if (!process.connected) throw new Error('This file is started by bench.ts')
  process.on('disconnect', () => process.exit())
  process.on('message', (message) => {
    const { id, question } = Question.parse(message)
    Promise.try(answer, question).then(
      (result) => process.send?.({ id, answer: result }),
      (error: unknown) => process.send?.({ id, failure: String(error) }),
    )
  })
}
