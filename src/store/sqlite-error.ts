/** Primary result codes (sqlite.org/rescode.html) that decide what happens next. */
const BUSY = 5
const NOMEM = 7
const IOERR = 10
const CORRUPT = 11
const FULL = 13
const NOTADB = 26

/** The result code of an error that node:sqlite threw, without its extension; undefined for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}

export function isFull(error: unknown): boolean {
  return sqliteCode(error) === FULL
}

export function isBusy(error: unknown): boolean {
  return sqliteCode(error) === BUSY
}

/** What is on disk is not known any more, so going on would be guessing (promise 1). */
export function isBroken(error: unknown): boolean {
  return sqliteCode(error) === IOERR || isDamaged(error)
}

/** The file is there and can be read, and is no whole database. */
export function isDamaged(error: unknown): boolean {
  const code = sqliteCode(error)
  return code === CORRUPT || code === NOTADB
}

/** Concerns the whole transaction, not the statement that happened to meet it. */
export function undoesBatch(error: unknown): boolean {
  const code = sqliteCode(error)
  return code === FULL || code === BUSY || code === NOMEM
}
