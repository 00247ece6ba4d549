import type { HistoryEvent } from '#analytics/history-query.ts'
import { ACTIVITY_STATUSES, type ActivityBody } from '#contract/activity.ts'
import { iso } from './delivery-body.ts'

/** An event of history as the log shows it. */
export function activityBody(event: HistoryEvent): ActivityBody {
  return {
    id: `${event.eventId}.${event.ordinal}`,
    event_id: event.eventId,
    at: iso(event.at),
    direction: given(event.dataset),
    status: ACTIVITY_STATUSES.find((word) => word === event.status) ?? null,
    type: event.type,
    event_type: event.eventType,
    zone_id: given(event.zoneTag),
    domain: event.sendingDomain,
    from: event.from,
    to: event.to,
    subject: event.subject,
    message_id: given(event.messageId),
    header_message_id: given(event.headerMessageId),
    delivery_id: given(event.deliveryId),
    rule_id: given(event.ruleMatched),
    action: given(event.action),
    cause: given(event.errorCause),
    error: given(event.errorDetail),
    spf: given(event.spf),
    dkim: given(event.dkim),
    dmarc: given(event.dmarc),
    arc: given(event.arc),
    is_spam: event.isSpam === 1,
    is_ndr: event.isNDR === 1,
    is_last_event: event.isLastEvent === 1,
    session_id: given(event.sessionId),
  }
}

/** History writes '' for what does not apply. */
function given<Text extends string>(text: Text): Exclude<Text, ''> | null {
  return text === '' ? null : (text as Exclude<Text, ''>)
}
