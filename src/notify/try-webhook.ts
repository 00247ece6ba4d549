import { newId } from '#store/id.ts'
import { type Store, statement } from '#store/store.ts'
import type { Vault } from '#vault/vault.ts'
import { type AttemptEntry, KEEP_MS, webhookMessageId } from './delivery-row.ts'
import type { EventName } from './event-names.ts'
import { envelopeFor, uuidOf } from './lifecycle-event.ts'
import type { PostWebhook } from './post-webhook.ts'
import { openRecentCalls } from './recent-calls.ts'
import { entryOf, hasArrived } from './settle-attempt.ts'
import { WEBHOOK_COLUMNS, type WebhookPlace, type WebhookRow } from './webhook.ts'
import { openSecrets, signedHeaders } from './webhook-secret.ts'

/** What a test came to. */
export interface WebhookTrial {
  readonly works: boolean
  /** Its place in the log. */
  readonly deliveryId: string
  readonly attempt: AttemptEntry
}

/** Sends one example at once, whatever state the webhook is in: `busy` where the account has a test under way, or all
 *  accounts have too many; `too-often` where this webhook had its tests of a minute. Undefined for none of the account's. */
export type TryWebhook = (
  place: WebhookPlace,
  name: EventName,
) => Promise<WebhookTrial | 'busy' | 'too-often' | undefined>

/** Each makes us wait for a host that a customer chose. */
const MOST_TRIALS = 16
/** Of one webhook: each is a request to somebody, and a row of the log. */
export const TRIALS_PER_MINUTE = 10
const MINUTE_MS = 60_000

const byId = statement<WebhookRow>(
  'webhook.to-try',
  `select ${WEBHOOK_COLUMNS} from webhook w where w.account_id = $1 and w.id = $2 and w.deleted_at is null`,
)
const insertTrial = statement(
  'webhook-delivery.insert-trial',
  `insert into webhook_delivery (id, webhook_id, account_id, event_id, type, at, order_key, state, attempts, due_at,
     expires_at, settled_at, log, body)
   select $2, w.id, w.account_id, $3, $4, cast($5 as bigint), $3, $6, 1, {now}, {now} + cast($7 as bigint), {now}, $8, $9
   from webhook w where w.id = $1 and w.deleted_at is null`,
)

export function openTryWebhook({
  store,
  vault,
  post,
  clock,
  keepMs = KEEP_MS,
}: {
  readonly store: Store
  readonly vault: Vault
  readonly post: PostWebhook
  readonly clock: () => number
  readonly keepMs?: number
}): TryWebhook {
  const underWay = new Set<string>()
  const recent = openRecentCalls({ most: TRIALS_PER_MINUTE, withinMs: MINUTE_MS, clock })

  async function attempt(row: WebhookRow, name: EventName): Promise<WebhookTrial> {
    const [deliveryId, eventId, at] = [newId(), newId(), clock()]
    const place = { accountId: row.account_id, webhookId: row.id }
    const body = envelopeFor({ ...EXAMPLE, id: eventId, name, at, ...example(row, name, eventId) }, row.id)
    const secrets = openSecrets(vault, place, row.secrets)
    const headers = signedHeaders(secrets, { messageId: webhookMessageId(eventId), body, now: at })
    const posted = await post(row.url, { headers, body })
    // Nobody ends it but its own time.
    if (posted.kind === 'aborted') throw new Error('a test was aborted')
    const entry = entryOf({ posted, at, durationMs: clock() - at })
    const works = hasArrived(posted)
    const params = [row.id, deliveryId, eventId, name, at, works ? 'delivered' : 'failed', keepMs]
    await store.commit([{ statement: insertTrial, params: [...params, JSON.stringify([entry]), body] }])
    return { works, deliveryId, attempt: entry }
  }

  return async (place, name) => {
    const row = await store.get(byId, [place.accountId, place.webhookId])
    if (!row) return undefined
    if (underWay.has(place.accountId) || underWay.size >= MOST_TRIALS) return 'busy'
    if (!recent.take(row.id)) return 'too-often'
    underWay.add(place.accountId)
    try {
      return await attempt(row, name)
    } finally {
      underWay.delete(place.accountId)
    }
  }
}

const EXAMPLE = { orderKey: '' }

/** In the shape of the event, about nobody. */
function example({ account_id: accountId, id }: WebhookRow, name: EventName, eventId: string) {
  const [, side = 'webhook', word = ''] = /^cf\.email\.(sending|routing)\.(.+)$/.exec(name) ?? []
  const type = `email.${side}` as 'email.sending' | 'email.routing' | 'email.webhook'
  const isTest = { test: true, eventId: uuidOf(eventId) }
  if (type === 'email.webhook') {
    const payload = { ...isTest, url: 'https://example.com/', reason: 'failing', failingSince: null }
    return { accountId, source: { type, webhookId: id }, payload }
  }
  const source = { type, zoneId: null, domain: 'example.com' }
  if (word.startsWith('domain.')) {
    return { accountId, source, payload: { ...isTest, domain: 'example.com', problems: [] } }
  }
  const status = word.slice('message.'.length)
  const payload = {
    ...isTest,
    messageId: `<${eventId}@example.com>`,
    ...{ sender: 'app@example.com', recipient: 'user@example.net', subject: 'A test' },
    terminal: status !== 'deferred',
    delivery: { status },
  }
  return { accountId, source, payload }
}
