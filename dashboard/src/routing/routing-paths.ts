import { accountPath, zonePath } from '../api/ask.ts'

/** `/client/v4/zones/<id>/email/routing` and what is below it. */
export function routingPath(zoneId: string, ...parts: readonly string[]): string {
  return zonePath(zoneId, 'email/routing', ...parts)
}

/** `/client/v4/accounts/<id>/email/routing` and what is below it. */
export function accountRoutingPath(accountId: string, ...parts: readonly string[]): string {
  return accountPath(accountId, 'email/routing', ...parts)
}
