import pino from 'pino'

/** One JSON line per event of the process, for operators. Secrets, message bodies and credentials never reach it:
 *  callers pass ids, addresses, sizes and replies, nothing else. */
export type Log = pino.Logger

export function openLog(level: string, destination: NodeJS.WritableStream = process.stderr): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      redact: ['headers.authorization', '*.authorization'],
    },
    destination,
  )
}
