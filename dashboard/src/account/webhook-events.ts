import type { WEBHOOK_EVENTS } from '#contract/webhooks.ts'

export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number]

/** What each event says, for the form. A name that is missing here does not compile. */
export const EVENT_TEXTS: Readonly<Record<WebhookEvent, string>> = {
  'cf.email.sending.message.delivered': 'Sent: delivered',
  'cf.email.sending.message.deferred': 'Sent: put off, will be tried again',
  'cf.email.sending.message.bounced': 'Sent: bounced',
  'cf.email.sending.message.failed': 'Sent: given up',
  'cf.email.sending.message.rejected': 'Sent: rejected before sending',
  'cf.email.sending.message.complained': 'Sent: the recipient complained',
  'cf.email.sending.domain.dns_drifted': 'Sending domain: records are wrong',
  'cf.email.sending.domain.dns_restored': 'Sending domain: records are right again',
  'cf.email.sending.domain.deliverability_declined': 'Sending domain: a rate crossed its threshold',
  'cf.email.sending.domain.deliverability_restored': 'Sending domain: the rates are good again',
  'cf.email.routing.message.forwarded': 'Routed: forwarded',
  'cf.email.routing.message.deferred': 'Routed: put off, will be tried again',
  'cf.email.routing.message.handled': 'Routed: handled by a Worker',
  'cf.email.routing.message.dropped': 'Routed: dropped by a rule',
  'cf.email.routing.message.rejected': 'Routed: rejected',
  'cf.email.routing.message.bounced': 'Routed: refused by the destination',
  'cf.email.routing.message.failed': 'Routed: failed',
  'cf.email.routing.domain.dns_drifted': 'Routing domain: records are wrong',
  'cf.email.routing.domain.dns_restored': 'Routing domain: records are right again',
  'cf.email.webhook.paused': 'A webhook was paused',
}
