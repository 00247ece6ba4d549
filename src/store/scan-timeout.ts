/** A scan took too long and was ended: an open read keeps the database from reusing what it has to keep for it. */
export class ScanTimeout extends Error {
  override readonly name = 'ScanTimeout'

  constructor(statement: string, limitMs: number) {
    super(`${statement}: no answer within ${limitMs} ms; the scan was ended`)
  }
}
