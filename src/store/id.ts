import { randomUUIDv7 } from 'node:crypto'

/** A new id: a UUIDv7 (RFC 9562 §5.7) as 32 hex digits in lower case, so ids sort by the time they were made. */
export function newId(): string {
  return randomUUIDv7().replaceAll('-', '')
}
