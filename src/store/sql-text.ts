import type { Statement, Store } from './store.ts'

/** A statement as one engine reads it. */
export interface SqlText {
  readonly text: string
  /** How many parameters it takes: the highest `$n`. */
  readonly arity: number
}

const CLOCK = {
  // The seconds are a double: rounding, not cutting, gives the millisecond that was meant.
  sqlite: `cast(round(unixepoch('subsec') * 1000) as integer)`,
  postgres: '(extract(epoch from clock_timestamp()) * 1000)::bigint',
} as const

export function sqlText(engine: Store['engine'], statement: Statement<unknown>): SqlText {
  const source = statement[engine].trim()
  let arity = 0
  for (const [, number] of source.matchAll(/\$(\d+)/g)) arity = Math.max(arity, Number(number))
  const timed = source.replaceAll('{now}', CLOCK[engine])
  return { text: engine === 'sqlite' ? timed.replaceAll(/\$(\d+)/g, '?$1') : timed, arity }
}

/** SQLite would take a missing parameter for NULL; on both engines the wrong number of them is a bug. */
export function checkArity(statement: Statement<unknown>, arity: number, given: number): void {
  if (arity !== given) {
    throw new TypeError(`statement "${statement.name}" takes ${arity} parameters and got ${given}`)
  }
}
