import { isRecordType, RECORD_TYPES } from './record-types.ts'
import { AUTOMATIC_TTL, AUTOMATIC_TTL_SECONDS, type StoredRecord, type ZoneRecord } from './zone-record.ts'

/** The record on the wire; `undefined` for the types that are not answered. */
export function wireRecord(stored: StoredRecord): ZoneRecord | undefined {
  if (!isRecordType(stored.type)) return undefined
  const data = RECORD_TYPES[stored.type].read(stored.content, stored.priority)
  if (typeof data === 'string') return undefined
  const ttl = stored.ttl === AUTOMATIC_TTL ? AUTOMATIC_TTL_SECONDS : stored.ttl
  return { name: stored.name, ttl, ...data }
}
