import type { Row } from './history-engine.ts'
import type { Dataset, HistoryEvent } from './history-query.ts'

/** A row with its label, as the engines give it back. */
export function readHistoryEvent(row: Row): HistoryEvent {
  const text = (column: string) => String(row[column])
  const number = (column: string) => Number(row[column])
  const [message, domain] = [text('message'), text('sending_domain')]
  // The tables take no other.
  const dataset = row['dataset'] as Dataset
  return {
    ...{ at: number('at'), seq: number('seq'), ordinal: number('ordinal') },
    ...{ eventId: text('event_id'), accountId: text('account_id'), zoneTag: text('zone_id') },
    dataset,
    ...{ status: text('status'), type: text('type'), eventType: text('event_type'), sendingDomain: domain },
    ...{ errorCause: text('error_cause'), action: text('action'), ruleMatched: text('rule_matched') },
    ...{ arc: text('arc'), dkim: text('dkim'), dmarc: text('dmarc'), spf: text('spf') },
    ...{ isSpam: number('is_spam'), isNDR: number('is_ndr'), isLastEvent: number('is_last') },
    ...{ from: text('mail_from'), to: text('mail_to'), subject: text('subject') },
    ...messageIds({ dataset, message, domain, header: text('header_id') }),
    ...{ sessionId: text('session_id'), errorDetail: text('error_detail') },
    ...{ message, deliveryId: text('delivery_id') },
  }
}

/** What was sent from here has the one in its header that `send` answered. */
function messageIds(row: {
  readonly dataset: Dataset
  readonly message: string
  readonly domain: string
  readonly header: string
}): Pick<HistoryEvent, 'messageId' | 'headerMessageId'> {
  const { dataset, message, domain, header } = row
  if (dataset === 'routing' || message === '') return { messageId: message, headerMessageId: header }
  const messageId = `<${message}@${domain}>`
  return { messageId, headerMessageId: messageId }
}
