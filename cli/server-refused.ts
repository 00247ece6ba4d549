import type { ApiError } from '#contract/envelope.ts'
import { CommandFailed, EXIT } from './exit-codes.ts'
import { refusalHint } from './refusal-hint.ts'
import { plain } from './text-table.ts'

/** By status; every other refusal is one. */
const ENDS: Readonly<Record<number, number>> = { 401: EXIT.unavailable, 404: EXIT.nothing }

/** The server said no. The message is all that it said, and what can be done about it. */
export class ServerRefused extends CommandFailed {
  readonly status: number
  /** Of the first error; 0 where it named none. */
  readonly code: number

  constructor(status: number, errors: readonly ApiError[]) {
    const [first] = errors
    const hint = first && refusalHint(first)
    const said = errors.length > 0 ? errors.map(told).join('\n') : `the server answered with status ${status}`
    super(hint === undefined ? said : `${said}\n  ${hint}`, ENDS[status] ?? EXIT.refused)
    this.status = status
    this.code = first?.code ?? 0
  }
}

function told({ code, message, error_chain: chain = [], source }: ApiError): string {
  const [detail, ...behind] = chain.map((link) => link.message)
  const sentence = detail === undefined || detail === message ? message : `${message}: ${detail}`
  const place = source ? `, at ${source.pointer}` : ''
  return [sentence, `  code ${code}${place}`, ...behind.map((text) => `  ${text}`)].map(plain).join('\n')
}
