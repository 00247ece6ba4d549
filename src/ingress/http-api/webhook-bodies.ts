import type {
  WebhookAttemptBody,
  WebhookBody,
  WebhookDeliveryBody,
  WholeWebhookDeliveryBody,
} from '#contract/webhooks.ts'
import type { WebhookDelivery } from '#notify/delivery-log.ts'
import type { AttemptEntry } from '#notify/delivery-row.ts'
import { uuidOf } from '#notify/lifecycle-event.ts'
import type { Webhook } from '#notify/webhook.ts'
import { apiTime } from './api-time.ts'

/** Never the secret. */
export function webhookBody(webhook: Webhook): WebhookBody {
  const { id, url, description, events, domains, state, failures } = webhook
  return {
    ...{ id, url, description, events: events && [...events], domains: domains && [...domains] },
    enabled: state !== 'disabled',
    status: state === 'active' && failures > 0 ? 'failing' : state,
    failing_since: timeOrNull(webhook.failingSince),
    paused_at: timeOrNull(webhook.pausedAt),
    pause_reason: webhook.pauseReason,
    dropped_events: webhook.dropped,
    created_at: apiTime(webhook.createdAt),
    modified_at: apiTime(webhook.modifiedAt),
  }
}

export function webhookDeliveryBody(delivery: WebhookDelivery): WebhookDeliveryBody {
  const last = delivery.log.at(-1)
  return {
    id: delivery.id,
    webhook_message_id: delivery.messageId,
    event_id: uuidOf(delivery.eventId),
    type: delivery.type,
    event_at: apiTime(delivery.at),
    status: delivery.state,
    attempts: delivery.attempts,
    next_attempt_at: timeOrNull(delivery.nextAttemptAt),
    settled_at: timeOrNull(delivery.settledAt),
    last_status: last?.status ?? null,
    last_error: last?.fault ?? null,
  }
}

export function wholeWebhookDeliveryBody(delivery: WebhookDelivery): WholeWebhookDeliveryBody {
  return {
    ...webhookDeliveryBody(delivery),
    log: delivery.log.map(attemptBody),
    // An envelope as JSON.
    payload: JSON.parse(delivery.body),
  }
}

export function attemptBody({
  at,
  durationMs,
  status,
  excerpt,
  fault,
  detail,
}: AttemptEntry): WebhookAttemptBody {
  return {
    at: apiTime(at),
    duration_ms: durationMs,
    status: status ?? null,
    response: excerpt ?? null,
    error: fault ?? null,
    detail: detail ?? null,
  }
}

function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : apiTime(ms)
}
