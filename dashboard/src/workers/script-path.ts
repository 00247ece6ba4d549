import { accountPath } from '../api/ask.ts'

/** `/client/v4/accounts/<id>/workers/scripts/<name>` and what is below it. */
export function scriptPath(accountId: string, script: string, ...parts: readonly string[]): string {
  return accountPath(accountId, 'workers/scripts', script, ...parts)
}
