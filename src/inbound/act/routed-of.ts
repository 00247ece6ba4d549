import type { Authentication } from '#inbound/authenticate/authentication.ts'
import type { Routed, RoutingAction } from '#model/routing.ts'
import type { Incoming, Recipient } from './incoming.ts'
import { resultWords } from './judge-origin.ts'
import type { Judged } from './judged.ts'

/** What routing decided about one recipient, as its events tell it; before it was judged, less. */
export function routedOf(
  { session, mailFrom, block }: Incoming,
  { to, way }: Recipient,
  judged?: { readonly authentication: Authentication; readonly judgement?: Judged['judgement'] },
): Routed {
  const action: RoutingAction =
    way.kind === 'rule' ? way.rule.action.type : way.kind === 'return' ? 'return' : 'forward'
  const isReport = block.fields.some(
    (field) => field.name.toLowerCase() === 'content-type' && /^\s*multipart\/report\b/i.test(field.value),
  )
  return {
    ruleId: way.kind === 'rule' ? way.rule.id : null,
    action,
    recipient: to,
    ...(judged && resultWords(judged.authentication)),
    isSpam: judged?.judgement?.isSpam ?? false,
    isNdr: mailFrom === '' || isReport,
    sessionId: session.id,
    remoteAddress: session.remoteAddress,
  }
}
