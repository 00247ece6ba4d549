/** What a tail tells of one invocation that is over. What is in its logs is the customer's. */
export interface TailEvent {
  /** Of this page: one after the other. */
  readonly key: number
  readonly outcome: string
  readonly title: string
  readonly at: number
  readonly lines: readonly TailLine[]
}

export interface TailLine {
  readonly level: string
  readonly text: string
}

interface Told {
  readonly outcome?: string
  readonly eventTimestamp?: number
  readonly event?: Readonly<Record<string, unknown>> | null
  readonly logs?: readonly { readonly level?: string; readonly message?: unknown }[]
  readonly exceptions?: readonly {
    readonly name?: string
    readonly message?: string
    readonly stack?: string | undefined
  }[]
}

/** Reads a frame of the tail. Undefined for what is none. */
export function readTailEvent(frame: string, key: number): TailEvent | undefined {
  let told: Told
  try {
    // The shape that our own server documents; a Worker cannot change it, only what stands in its texts.
    told = JSON.parse(frame) as Told
  } catch {
    return undefined
  }
  return {
    key,
    outcome: told.outcome ?? 'unknown',
    title: titleOf(told.event ?? {}),
    at: told.eventTimestamp ?? 0,
    lines: linesOf(told),
  }
}

/** What a Worker logged, and what it failed with. */
export function linesOf({
  logs = [],
  exceptions = [],
}: Pick<Told, 'logs' | 'exceptions'>): readonly TailLine[] {
  return [
    ...logs.map(({ level = 'log', message }) => ({
      level,
      text: (Array.isArray(message) ? message : [message]).map(shown).join(' '),
    })),
    ...exceptions.map(({ name = 'Error', message = '', stack }) => ({
      level: 'exception',
      text: [`${name}: ${message}`, stack].filter(Boolean).join('\n'),
    })),
  ]
}

function titleOf(event: Readonly<Record<string, unknown>>): string {
  const text = (name: string) => shown(event[name])
  if ('rcptTo' in event) return `Email from ${text('mailFrom') || '<>'} to ${text('rcptTo')}`
  if ('cron' in event) return `Cron ${text('cron')}`
  if ('queue' in event) return `Queue ${text('queue')}, ${text('batchSize')} messages`
  const { request } = event
  if (typeof request === 'object' && request !== null) {
    const { method, url } = request as { readonly method?: unknown; readonly url?: unknown }
    return `${shown(method)} ${shown(url)}`
  }
  return 'Invocation'
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')
}
