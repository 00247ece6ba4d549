import { record, type WorkerTrace } from '#workers/runtime/worker-trace.ts'

/** What a tail is told of: all that a filter says has to be true. What is about a request lets no other event through. */
export interface TailFilter {
  /** The share of the events, between 0 and 1. */
  readonly samplingRate?: number | undefined
  readonly outcome?: readonly string[] | undefined
  readonly method?: readonly string[] | undefined
  /** The request has this header, with `query` in it. */
  readonly header?: { readonly key: string; readonly query?: string | undefined } | undefined
  readonly clientIp?: readonly string[] | undefined
  /** A text in what was logged. */
  readonly query?: string | undefined
  readonly versionId?: string | undefined
}

/** `random` in [0, 1). */
export function passesFilters(
  trace: WorkerTrace,
  filters: readonly TailFilter[],
  random: () => number,
): boolean {
  return (
    filters.every((filter) => passes(trace, filter)) && filters.every((filter) => isSampled(filter, random))
  )
}

function passes(trace: WorkerTrace, filter: TailFilter): boolean {
  const { outcome, method, header, clientIp, query, versionId } = filter
  if (outcome && !outcome.includes(trace.outcome)) return false
  if (versionId !== undefined && versionId !== trace.versionId) return false
  if (query !== undefined && !hasLogged(trace, query)) return false
  if (!method && !header && !clientIp) return true
  const request = record(trace.event['request'])
  if (!request) return false
  const headerNamed = headersOf(request)
  if (method && !method.some((name) => name.toUpperCase() === request['method'])) return false
  if (header && headerNamed(header.key)?.includes(header.query ?? '') !== true) return false
  const address = headerNamed(CLIENT_IP)
  return !clientIp || (address !== undefined && clientIp.map(plainAddress).includes(plainAddress(address)))
}

/** Of what all filters let through. */
function isSampled({ samplingRate }: TailFilter, random: () => number): boolean {
  return samplingRate === undefined || random() < samplingRate
}

/** Where a Worker sees who asks. */
const CLIENT_IP = 'cf-connecting-ip'

/** The runtime has put `REDACTED` in place of what looks secret, and names are in lower case. */
function headersOf(request: Readonly<Record<string, unknown>>): (name: string) => string | undefined {
  const headers = record(request['headers'])
  return (name) => {
    const value = headers?.[name.toLowerCase()]
    return typeof value === 'string' ? value : undefined
  }
}

/** An IPv4 address in IPv6 is the same address (RFC 4291 §2.5.5.2). */
function plainAddress(address: string): string {
  return address.toLowerCase().replace(/^::ffff:(?=\d+\.)/, '')
}

function hasLogged({ logs }: WorkerTrace, text: string): boolean {
  return logs.some(({ message }) =>
    message.some((part) => (typeof part === 'string' ? part : (JSON.stringify(part) ?? '')).includes(text)),
  )
}
