import type { DomainEvent, EventType } from '#model/event.ts'
import type { Routed } from '#model/routing.ts'
import type { Dataset } from './history-query.ts'
import type { Words } from './label.ts'
import type { OriginDomain, OutboxEvent } from './outbox-event.ts'
import { statusWord } from './status-word.ts'

/** An event as it concerns one recipient, before it is known what its message's earlier events were. */
export interface RowDraft {
  readonly words: Words
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly sessionId: string
  /** Of mail that came in; '' where there is none. */
  readonly headerMessageId: string
  readonly errorDetail: string
}

/** What earlier events of a message say of it: a report by mail, or an operator's word, does not repeat it. */
export interface Inherited {
  readonly words: Words
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly sessionId: string
  readonly headerMessageId: string
}

/** The rows that an event makes, one for each of its recipients. What happened to a domain makes none, and neither does
 *  the service's own mail (the null sender, no domain: `outbound/notices`). */
export function rowsOfEvent(event: OutboxEvent, inherited: Inherited | undefined): RowDraft[] {
  if (isDomainEvent(event)) return []
  const { detail } = event
  if (detail.routed) return [routedRow(event, detail.routed)]
  if (inherited?.words.dataset === 'routing') return [inheritedRow(event, inherited)]
  const { sender = '' } = detail
  if (sender === '') return []
  const recipients = detail.recipients ?? (detail.recipient === undefined ? [] : [detail.recipient])
  return recipients.map((recipient) => sentRow(event, { sender, recipient }, inherited))
}

type Mail = Extract<OutboxEvent, { readonly type: EventType }>

function isDomainEvent(event: OutboxEvent): event is Exclude<OutboxEvent, Mail> {
  return event.type in OF_DOMAINS
}

const OF_DOMAINS = {
  'dns-drifted': true,
  'dns-restored': true,
  'deliverability-declined': true,
  'deliverability-restored': true,
} satisfies Record<DomainEvent['type'], true>

/** `newEmail`: sent from here. `reply`: a Worker's answer to a message that came in. */
function sentRow(
  event: Mail,
  { sender, recipient }: { readonly sender: string; readonly recipient: string },
  inherited: Inherited | undefined,
): RowDraft {
  const { detail, domain } = event
  const isReply = detail.worker?.call === 'reply'
  return {
    words: {
      ...wordsOf(event, 'sending', detail.cause ?? ''),
      event_type: isReply ? 'reply' : inherited?.words.event_type || 'newEmail',
      sending_domain: storable(domainPart(sender) || (domain?.name ?? ''), MOST_WORD),
      action: '',
      is_ndr: 0,
      rule_matched: '',
      // Mail of our customers carries no ARC set.
      arc: 'none',
      ...checkWords(domain),
      is_spam: 0,
    },
    ...{
      from: storable(sender),
      to: storable(recipient),
      subject: storable(detail.subject ?? inherited?.subject ?? ''),
    },
    ...{ sessionId: '', headerMessageId: '', errorDetail: errorDetail(event, detail.smtpReply) },
  }
}

/** `forward`: what became of it on its way on. `incoming`: it ended here. */
function routedRow(event: Mail, routed: Routed): RowDraft {
  const { detail } = event
  const { recipient, worker } = routed
  const failedWorker = worker && worker.outcome !== 'handled' && worker.outcome !== 'rejected'
  const isForward = detail.attempt !== undefined || event.type === 'accepted'
  return {
    words: {
      ...wordsOf(event, 'routing', detail.cause ?? (failedWorker ? worker.outcome : '')),
      event_type: isForward ? 'forward' : 'incoming',
      sending_domain: storable(domainPart(recipient), MOST_WORD).toLowerCase(),
      action: routed.action,
      is_ndr: routed.isNdr ? 1 : 0,
      rule_matched: routed.ruleId ?? '',
      ...{ arc: word(routed.arc), dkim: word(routed.dkim), dmarc: word(routed.dmarc), spf: word(routed.spf) },
      is_spam: routed.isSpam ? 1 : 0,
    },
    from: storable(detail.sender ?? ''),
    to: storable(recipient),
    subject: storable(detail.subject ?? ''),
    sessionId: storable(routed.sessionId),
    headerMessageId: storable(detail.headerMessageId ?? ''),
    errorDetail: errorDetail(event, routed.reason ?? detail.smtpReply),
  }
}

function inheritedRow(event: Mail, { words, ...same }: Inherited): RowDraft {
  const { detail } = event
  const { account_id, zone_id, dataset, type, status, error_cause } = wordsOf(
    event,
    'routing',
    detail.cause ?? '',
  )
  return {
    words: {
      ...words,
      ...{ account_id, zone_id: zone_id || words.zone_id, dataset, type, status, error_cause },
      event_type: 'forward',
    },
    ...same,
    errorDetail: errorDetail(event, detail.smtpReply),
  }
}

function wordsOf(event: Mail, dataset: Dataset, cause: string) {
  return {
    account_id: event.accountId,
    zone_id: event.domain?.zoneId ?? '',
    dataset,
    status: statusWord(dataset, event.type, event.detail.attempt !== undefined),
    type: event.type,
    error_cause: storable(cause, MOST_WORD),
  }
}

/** The last look at DNS, in the words of RFC 8601 §2.7: nothing there is `none`, and what would not work is `fail`. */
function checkWords(domain: OriginDomain | undefined): Record<'spf' | 'dkim' | 'dmarc', string> {
  const check = domain?.check
  const result = (method: string) => {
    if (!check || check.problems.includes(`${method}.missing`)) return 'none'
    return check.problems.some((problem) => problem.startsWith(`${method}.`)) ? 'fail' : 'pass'
  }
  return { spf: result('spf'), dkim: result('dkim'), dmarc: result('dmarc') }
}

/** Why it did not arrive; what the host said when it took the mail is no error. */
function errorDetail({ type, detail }: Mail, text: string | undefined): string {
  if (type === 'accepted' || type === 'delivered' || type === 'handled') return ''
  return storable(text ?? detail.feedbackType ?? '')
}

/** Nobody reads more, and a stranger's text shall not make a row of any size. */
const MOST_TEXT = 998
const MOST_WORD = 255

/** Text as both engines keep it alike: without NUL, which PostgreSQL refuses, and without halves of characters. */
export function storable(text: string, most = MOST_TEXT): string {
  return text.slice(0, most).replaceAll('\u0000', '\ufffd').toWellFormed()
}

function word(result: string | undefined): string {
  return storable(result ?? '', MOST_WORD)
}

function domainPart(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1)
}
