import type { Notify } from '#notify/notify.ts'
import type { WebhookPlace } from '#notify/webhook.ts'
import type { Call, ServedBy } from './serve-operation.ts'

/** What the routes of webhooks and event subscriptions work with. */
export interface NotifyDoorWorld extends ServedBy {
  readonly notify: Pick<
    Notify,
    'subscriptions' | 'webhooks' | 'tryWebhook' | 'deliveries' | 'delivery' | 'replay' | 'replayRange'
  >
  readonly now: () => number
}

export function webhookPlaceOf({
  accountId,
  params,
}: Pick<Call<unknown, unknown>, 'accountId' | 'params'>): WebhookPlace {
  return { accountId, webhookId: params['webhook_id']?.toLowerCase() ?? '' }
}
