import type { TimelineEvent } from '#contract/messages.ts'
import type { EventDetail } from '#model/event.ts'
import type { Routed, WorkerRun } from '#model/routing.ts'
import { iso } from './delivery-body.ts'

/** An event as the store gives it back; `detail` is the JSON of an EventDetail. */
export interface StoredEvent {
  readonly seq: number
  readonly id: string
  readonly at: number
  readonly delivery_id: string | null
  readonly type: string
  readonly terminal: number
  readonly detail: string
}

/** Reads a page of a timeline: of a message, or of one delivery of it. */
export type ReadTimeline = (page: {
  readonly accountId: string
  readonly messageId: string
  readonly deliveryId?: string
  readonly after?: number
  readonly limit: number
}) => Promise<readonly StoredEvent[]>

export function timelineEvent(event: StoredEvent): TimelineEvent {
  // The events room wrote it as such.
  const detail = JSON.parse(event.detail) as EventDetail
  return {
    id: event.id,
    at: iso(event.at),
    type: event.type,
    delivery_id: event.delivery_id,
    terminal: event.terminal === 1,
    ...detailBody(detail),
  }
}

type DetailBody = Omit<TimelineEvent, 'id' | 'at' | 'type' | 'delivery_id' | 'terminal'>

/** The API's names for ours: every one of them, or the compiler says which is missing. */
const NAMES = {
  sender: 'sender',
  recipient: 'recipient',
  recipients: 'recipients',
  subject: 'subject',
  headerMessageId: 'header_message_id',
  size: 'size',
  removedHeaders: 'removed_headers',
  attempt: 'attempt',
  cause: 'cause',
  smtpReply: 'smtp_reply',
  smtpStatus: 'smtp_status',
  enhancedStatus: 'enhanced_status',
  host: 'host',
  address: 'address',
  tls: 'tls',
  tlsPolicy: 'tls_policy',
  tlsFailure: 'tls_failure',
  dialogue: 'dialogue',
  feedbackType: 'feedback_type',
  perhapsTaken: 'perhaps_taken',
  durationMs: 'duration_ms',
} as const satisfies Record<Exclude<keyof EventDetail, 'retryAt' | 'routed' | 'worker'>, keyof DetailBody>

function detailBody({ retryAt, routed, worker, ...detail }: EventDetail): DetailBody {
  const named = Object.entries(NAMES).flatMap(([ours, theirs]) => {
    const value = Reflect.get(detail, ours)
    return value === undefined ? [] : [[theirs, value]]
  })
  return {
    ...Object.fromEntries(named),
    ...(retryAt !== undefined && { retry_at: iso(retryAt) }),
    ...(worker && { worker: { script_name: worker.scriptName, call: worker.call } }),
    ...(routed && { routing: routingBody(routed) }),
  }
}

function routingBody(routed: Routed): NonNullable<TimelineEvent['routing']> {
  const {
    ruleId,
    action,
    recipient,
    spf,
    dkim,
    dmarc,
    arc,
    isSpam,
    isNdr,
    sessionId,
    remoteAddress,
    reason,
    worker,
  } = routed
  return {
    rule_id: ruleId,
    action,
    recipient,
    ...(spf !== undefined && { spf }),
    ...(dkim !== undefined && { dkim }),
    ...(dmarc !== undefined && { dmarc }),
    ...(arc !== undefined && { arc }),
    is_spam: isSpam,
    is_ndr: isNdr,
    session_id: sessionId,
    remote_address: remoteAddress,
    ...(reason !== undefined && { reason }),
    ...(worker && { worker: workerRunBody(worker) }),
  }
}

function workerRunBody({ scriptName, outcome, error, forwards, reply }: WorkerRun) {
  return {
    script_name: scriptName,
    outcome,
    ...(error && { error }),
    forwards: forwards.map(({ destination, messageId }) => ({ destination, message_id: messageId })),
    ...(reply !== undefined && { reply_message_id: reply }),
  }
}
