/** How a command ended, for scripts. 69 is EX_UNAVAILABLE. */
export const EXIT = {
  done: 0,
  /** The server refused it, or it failed there. */
  refused: 1,
  usage: 2,
  /** There was nothing to do it to. */
  nothing: 3,
  notConfirmed: 4,
  /** No server, no token, or not the right one. */
  unavailable: 69,
} as const

/** Told to the person in one sentence, without a stack. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed'
  readonly exitCode: number

  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}
