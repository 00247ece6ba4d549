import { formatWithOptions } from 'node:util'
import type { HostServices, WorkerPlace } from '#workers/runtime/host-services.ts'
import { record, type WorkerTrace } from '#workers/runtime/worker-trace.ts'
import { printable } from './printable.ts'
import { keepSent, type SentFiles } from './worker-project-sent.ts'

/** What a developer sees of Workers at work: what they log and throw, and what they send. */
export interface WorkerConsole {
  /** Prints what an invocation was, what it logged, and how it failed. */
  trace(trace: WorkerTrace): void
  /** Prints what is done for a Worker. */
  note(place: Pick<WorkerPlace, 'scriptName'>, text: string): void
  /** The same `sendEmail`, which prints each message and where it can be read. */
  sends(sendEmail: HostServices['sendEmail']): HostServices['sendEmail']
}

export interface WorkerConsoleWorld {
  /** The data folder: texts of messages are kept in `sent/` below it, the last ones. */
  readonly directory: string
  /** Takes whole lines, with their ends. */
  readonly print: (text: string) => void
  /** Where a place in a Worker's main module came from; lines and columns from 1 on. */
  readonly origin?: (place: WorkerPlace, line: number, column: number) => string | undefined
}

/** A Worker may log as much as it likes; a terminal is for reading. */
const LONGEST_TEXT = 20_000
const DEPTH = 6

/** What Workers log comes once their invocation is over, what they do comes at once: that waits for a while, so that
 *  both stand in the order in which they happened. */
const ORDER_MS = 1000

interface Line {
  readonly at: number
  readonly text: string
}

export function openWorkerConsole({ directory, print, origin }: WorkerConsoleWorld): WorkerConsole {
  const waiting = new Map<string, Line[]>()

  function say(scriptName: string, lines: readonly Line[]): void {
    const held = waiting.get(scriptName) ?? []
    waiting.delete(scriptName)
    // A Worker's clock stands still between two things that it waits for: of one moment, its own word comes first.
    for (const { text } of [...lines, ...held].sort((one, other) => one.at - other.at))
      print(`${printable(`[${scriptName}] ${text}`.slice(0, LONGEST_TEXT))}\n`)
  }

  function hold(scriptName: string, line: Line): void {
    const held = waiting.get(scriptName)
    if (held) held.push(line)
    else {
      waiting.set(scriptName, [line])
      setTimeout(() => say(scriptName, []), ORDER_MS).unref()
    }
  }

  function stackOf(place: WorkerPlace, stack: string): string {
    const lines = stack.split('\n').filter((line) => !/posthorn-|cloudflare-internal:/.test(line))
    const mapped = lines.map((line) =>
      line.replace(/[\w.:/-]*\bindex\.js:(\d+):(\d+)/, (whole, row: string, column: string) => {
        return origin?.(place, Number(row), Number(column)) ?? whole
      }),
    )
    return mapped.join('\n')
  }

  return {
    note: ({ scriptName }, text) => hold(scriptName, { at: Date.now(), text }),

    trace(trace) {
      const { scriptName, logs, exceptions, outcome } = trace
      const said = logs.map(({ message, level, timestamp: at }): Line => {
        const text = formatWithOptions({ depth: DEPTH }, ...message)
        return { at, text: level === 'log' || level === 'info' ? text : `${level}: ${text}` }
      })
      const thrown = exceptions.map(({ name, message, stack, timestamp: at }): Line => {
        const head = `${name}: ${message}`
        return { at, text: `✘ ${stack === undefined ? head : stackOf(trace, withHead(stack, head))}` }
      })
      const ended = `${eventLine(trace)}${outcome === 'ok' ? '' : `: ${OUTCOMES[outcome] ?? outcome}`}`
      say(scriptName, [...said, ...thrown, { at: Number.POSITIVE_INFINITY, text: ended }])
    },

    sends(sendEmail) {
      return async (worker, binding, message) => {
        const at = Date.now()
        const made = await sendEmail(worker, binding, message)
        const called = 'send_email binding called with'
        if ('code' in made) {
          const text = `${called} a message that is refused (${binding.name}):\n${made.code}: ${made.message}`
          hold(worker.scriptName, { at, text })
          return made
        }
        const files = await keepSent(directory, made.messageId, message).catch((): SentFiles => [])
        const where = files.map(([what, path]) => `${what}: ${path}`)
        const head =
          message.kind === 'raw'
            ? [`${called} the following message:`]
            : [
                `${called} MessageBuilder:`,
                ...builderLines(message.fields),
                ...(where.length > 0 ? [''] : []),
              ]
        hold(worker.scriptName, { at, text: [...head, ...where].join('\n') })
        return made
      }
    },
  }
}

/** The words of `tail`, for a person. */
const OUTCOMES: Readonly<Record<string, string>> = {
  exception: 'failed',
  canceled: 'took too long, or nobody waited any more',
  exceededCpu: 'used too much of the processor (EXCEEDED_CPU)',
  exceededMemory: 'used too much memory (EXCEEDED_MEMORY)',
  unknown: 'its process ended',
}

function withHead(stack: string, head: string): string {
  return stack.startsWith(head) ? stack : `${head}\n${stack}`
}

function eventLine({ event }: WorkerTrace): string {
  const { request, response, mailFrom, rcptTo, queue, batchSize, cron } = event
  const asked = record(request)
  if (asked) {
    const { method, url } = asked
    const path = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined
    const status = plain(record(response)?.['status'])
    return `${plain(method)} ${path ? path.pathname + path.search : plain(url)} ${status}`.trim()
  }
  if (rcptTo !== undefined) return `email from ${plain(mailFrom) || '<>'} to ${plain(rcptTo)}`
  if (queue !== undefined) return `queue ${plain(queue)}, messages: ${plain(batchSize)}`
  return cron === undefined ? 'done' : `scheduled ${plain(cron)}`
}

/** What an event says where it is a word or a number. */
function plain(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

function builderLines(fields: unknown): readonly string[] {
  const { from, to, cc, bcc, subject } = record(fields) ?? {}
  const line = (name: string, value: unknown) => {
    const addresses = (Array.isArray(value) ? value : [value]).map(addressText).filter((text) => text !== '')
    return addresses.length === 0 ? [] : [`${name}: ${addresses.join(', ')}`]
  }
  return [
    ...[...line('From', from), ...line('To', to), ...line('Cc', cc), ...line('Bcc', bcc)],
    `Subject: ${plain(subject)}`,
  ]
}

function addressText(given: unknown): string {
  if (typeof given === 'string') return given
  const { email, name } = record(given) ?? {}
  if (typeof email !== 'string') return ''
  return typeof name === 'string' && name !== '' ? `"${name}" <${email}>` : email
}
