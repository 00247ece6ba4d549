import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isBusy } from './sqlite-error.ts'
import { createPrivately } from './sqlite-file.ts'

/** Another process (or this one, a second time) has the data folder open. */
export class DataFolderInUse extends Error {
  override readonly name = 'DataFolderInUse'
  readonly directory: string

  constructor(directory: string) {
    super(`the data folder ${directory} is in use by another Posthorn process; stop that one first`)
    this.directory = directory
  }
}

/** Makes this process the one owner of a data folder until `release()` or its death: the lock is the kernel's, so
 *  kill -9 leaves nothing behind that a restart would have to doubt. Throws DataFolderInUse. */
export function takeOwnerLock(directory: string): { release(): void } {
  const file = join(directory, 'owner.lock')
  createPrivately(file)
  const database = new DatabaseSync(file)
  try {
    database.exec('begin exclusive')
  } catch (error) {
    database.close()
    throw isBusy(error) ? new DataFolderInUse(directory) : error
  }
  return { release: () => database.close() }
}
