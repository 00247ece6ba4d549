/** A DNS record as the authority answers it: owner in lower case without the final dot, TTL in seconds. */
export type ZoneRecord = RecordOwner & RecordData
export type SoaRecord = RecordOwner & SoaData

interface RecordOwner {
  readonly name: string
  readonly ttl: number
}

export type RecordData =
  | { readonly type: 'A' | 'AAAA'; readonly data: string }
  | { readonly type: 'CNAME' | 'NS' | 'PTR'; readonly data: string }
  | { readonly type: 'MX'; readonly preference: number; readonly exchange: string }
  | { readonly type: 'TXT'; readonly text: string }
  | SrvData
  | CaaData
  | SshfpData
  | TlsaData
  | SoaData

/** RFC 2782; no service at all is the target ''. */
export interface SrvData {
  readonly type: 'SRV'
  readonly priority: number
  readonly weight: number
  readonly port: number
  readonly target: string
}

/** RFC 8659 §4. */
export interface CaaData {
  readonly type: 'CAA'
  readonly flags: number
  readonly tag: 'issue' | 'issuewild' | 'iodef'
  readonly value: string
}

/** RFC 4255 §3; the fingerprint in hex. */
export interface SshfpData {
  readonly type: 'SSHFP'
  readonly algorithm: number
  readonly hash: number
  readonly fingerprint: string
}

/** RFC 6698 §2; the certificate, or its hash, in hex. */
export interface TlsaData {
  readonly type: 'TLSA'
  readonly usage: number
  readonly selector: number
  readonly matchingType: number
  readonly certificate: string
}

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
