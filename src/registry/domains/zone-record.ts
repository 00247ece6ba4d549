/** A DNS record as the authority answers it: owner in lower case without the final dot, TTL in seconds. */
export type ZoneRecord = RecordOwner & RecordData
export type SoaRecord = RecordOwner & SoaData

interface RecordOwner {
  readonly name: string
  readonly ttl: number
}

export type RecordData =
  | { readonly type: 'A' | 'AAAA'; readonly data: string }
  | { readonly type: 'CNAME'; readonly data: string }
  | { readonly type: 'NS'; readonly data: string }
  | { readonly type: 'MX'; readonly preference: number; readonly exchange: string }
  | { readonly type: 'TXT'; readonly text: string }
  | SoaData

interface SoaData {
  readonly type: 'SOA'
  readonly mname: string
  readonly rname: string
  readonly serial: number
  readonly refresh: number
  readonly retry: number
  readonly expire: number
  readonly minimum: number
}

/** What the API calls automatic (api-sending-dns.md). */
export const AUTOMATIC_TTL = 1
/** What automatic means on the wire. */
export const AUTOMATIC_TTL_SECONDS = 300

/** A row of dns_record as far as an answer needs it. */
export interface StoredRecord {
  readonly name: string
  readonly type: string
  readonly content: string
  readonly priority: number | null
  readonly ttl: number
}

/** The record on the wire; `undefined` for the types that are not answered. */
export function wireRecord(stored: StoredRecord): ZoneRecord | undefined {
  const owner = {
    name: stored.name,
    ttl: stored.ttl === AUTOMATIC_TTL ? AUTOMATIC_TTL_SECONDS : stored.ttl,
  }
  switch (stored.type) {
    case 'A':
    case 'AAAA':
    case 'CNAME':
      return { ...owner, type: stored.type, data: stored.content }
    case 'MX':
      return { ...owner, type: 'MX', preference: stored.priority ?? 0, exchange: stored.content }
    case 'TXT':
      return { ...owner, type: 'TXT', text: stored.content }
    default:
      return undefined
  }
}
