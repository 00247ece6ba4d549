import { setTimeout as sleep } from 'node:timers/promises'
import { statement } from '#store/store.ts'
import type { Vault } from '#vault/vault.ts'
import { DELIVERY_COLUMNS, type DeliveryRow, webhookMessageId } from './delivery-row.ts'
import { due } from './due-sql.ts'
import { type Lease, openLeases } from './leases.ts'
import { type Lookout, openLookout } from './lookout.ts'
import { type NotifyWatch, outcomeOf } from './notify-watch.ts'
import type { PostWebhook } from './post-webhook.ts'
import { RESTING_AFTER } from './retry-schedule.ts'
import { type SettleWorld, settleAttempt } from './settle-attempt.ts'
import { openSlots } from './slots.ts'
import { WAITING_WEBHOOKS } from './waiting-sql.ts'
import { WEBHOOK_COLUMNS, type WebhookRow, webhookOf } from './webhook.ts'
import { openSecrets, signedHeaders } from './webhook-secret.ts'
import { WEBHOOKS_PER_ACCOUNT } from './webhooks.ts'

export interface WebhookPumpWorld extends SettleWorld {
  readonly vault: Vault
  readonly post: PostWebhook
  readonly watch: NotifyWatch
  readonly onError: (error: unknown) => void
  readonly pollMs: number
  readonly leaseMs: number
  readonly graceMs: number
}

/** Requests at once to one webhook. */
const PER_WEBHOOK = 8
/** The first of these has a place of its own, so that no other webhook of the account takes it, however many hang. */
const FIRSTS = { perKey: WEBHOOKS_PER_ACCOUNT, total: 1024 }
/** The others take what is free now: of those of one account, and of all. */
const MORE = { perKey: 32, total: 256 }
/** Rows that are read at once: there may be many webhooks to tell. */
const READ = 16
const HELD_MS = 30_000

const anyPending = statement<{ readonly found: number }>(
  'webhook-delivery.any-pending',
  `select 1 as found from webhook_delivery where state = 'pending' limit 1`,
)
const dueWebhooks = statement<{ readonly id: string }>(
  'webhook.due',
  `${WAITING_WEBHOOKS}
   select w.id from waiting join webhook w on w.id = waiting.id
   where w.state = 'active' and w.deleted_at is null and ${due('w.leased_until')} and ${due('w.rest_until')}
     and exists (select 1 from webhook_delivery d
       where d.webhook_id = w.id and d.state = 'pending' and ${due('d.due_at')})`,
)
const current = statement<WebhookRow & { readonly now: number }>(
  'webhook.current',
  `select ${WEBHOOK_COLUMNS}, {now} as now from webhook w where w.id = $1 and w.deleted_at is null`,
)
// Of what is told one after the other only the first: what is behind it waits until that is through.
const heads = statement<DeliveryRow>(
  'webhook-delivery.heads',
  `select ${DELIVERY_COLUMNS} from webhook_delivery d
   where d.webhook_id = $1 and d.state = 'pending' and ${due('d.due_at')}
     and not exists (select 1 from webhook_delivery e where e.webhook_id = d.webhook_id and e.state = 'pending'
       and e.order_key = d.order_key and e.seq < d.seq)
   order by d.due_at, d.seq limit $2`,
)

/** Tells webhooks what waits for them. Each is in the hands of one process at a time, under a lease that ends by itself;
 *  there what belongs to one message goes one after the other, and the rest side by side. */
export function openWebhookPump(world: WebhookPumpWorld): Lookout {
  const { store, vault, post, watch, clock, onError, pollMs, leaseMs, graceMs } = world
  const leases = openLeases(store, 'webhook', leaseMs)
  const [firsts, more] = [openSlots(FIRSTS), openSlots(MORE)]
  const drains = new Map<string, Promise<void>>()
  /** Webhooks that are left alone for a while, after an error of ours. */
  const held = new Map<string, number>()
  /** Ends what is under way. */
  const cut = new AbortController()

  async function look(stop: AbortSignal): Promise<boolean> {
    if (!(await store.get(anyPending, []))) return false
    for (const { id } of await store.all(dueWebhooks, [])) await startDrain(id, stop)
    return false
  }

  async function startDrain(id: string, stop: AbortSignal): Promise<void> {
    if (drains.has(id) || stop.aborted || (held.get(id) ?? 0) > clock()) return
    held.delete(id)
    const lease = await leases.take(id)
    if (!lease) return
    const drain = drainLeased(id, lease, stop)
      .catch(onError)
      .finally(() => drains.delete(id))
    drains.set(id, drain)
  }

  async function drainLeased(id: string, lease: Lease, stop: AbortSignal): Promise<void> {
    await using _ = lease
    const mine = new AbortController()
    const renewal = setInterval(() => {
      lease
        .renew()
        .then((renewed) => renewed || mine.abort())
        .catch(onError)
    }, leaseMs / 3)
    try {
      await drain(id, AbortSignal.any([stop, mine.signal]))
    } finally {
      clearInterval(renewal)
    }
  }

  async function drain(id: string, mine: AbortSignal): Promise<void> {
    const broken = new AbortController()
    const until = AbortSignal.any([mine, broken.signal])
    const underWay = new Map<string, Promise<void>>()
    let ready: DeliveryRow[] = []
    let hasFirst = false
    async function takePlace(accountId: string): Promise<(() => void) | undefined> {
      if (hasFirst) return more.tryTake(accountId)
      const free = await firsts.take(accountId, until)
      if (!free) return undefined
      hasFirst = true
      return () => {
        hasFirst = false
        free()
      }
    }
    let soon: Promise<void> | undefined
    async function lookAgain(): Promise<void> {
      await sleep(pollMs, undefined, { ref: false })
      soon = undefined
    }
    try {
      while (!until.aborted) {
        const row = await store.get(current, [id])
        if (row?.state !== 'active') return
        const most = row.failures >= RESTING_AFTER ? 1 : PER_WEBHOOK
        // One that began to rest is asked by what is first in line when it has rested.
        if (most === 1) ready = []
        const rests = row.rest_until > row.now && row.rest_until <= row.now + REST_AHEAD_MS
        if (!rests && underWay.size < most) {
          if (ready.length === 0) ready = await readHeads(id, underWay)
          for (let next = ready[0]; next && underWay.size < most; next = ready[0]) {
            const { id: deliveryId } = next
            const free = await takePlace(row.account_id)
            if (!free) break
            ready.shift()
            const telling = tell(row, next)
              .catch((error: unknown) => {
                broken.abort()
                onError(error)
              })
              .finally(() => {
                free()
                underWay.delete(deliveryId)
              })
            underWay.set(deliveryId, telling)
          }
        }
        if (underWay.size === 0) return
        // What comes meanwhile does not wait for what hangs.
        soon ??= lookAgain()
        await Promise.race([...underWay.values(), soon])
      }
    } finally {
      await Promise.all(underWay.values())
      // What cannot be written down is not to be told again and again meanwhile.
      if (broken.signal.aborted) held.set(id, clock() + HELD_MS)
    }
  }

  async function readHeads(id: string, underWay: ReadonlyMap<string, unknown>): Promise<DeliveryRow[]> {
    // What ends while this is read may still wait in what was read.
    const begun = new Set(underWay.keys())
    const rows = await store.all(heads, [id, READ])
    return rows.filter((row) => !begun.has(row.id))
  }

  async function tell(row: WebhookRow, delivery: DeliveryRow): Promise<void> {
    const webhook = webhookOf(row)
    const place = { accountId: row.account_id, webhookId: row.id }
    const { event_id: eventId, body } = delivery
    const at = clock()
    const headers = signedHeaders(openSecrets(vault, place, row.secrets), {
      ...{ messageId: webhookMessageId(eventId), body, now: at },
    })
    const posted = await post(row.url, { headers, body, signal: cut.signal })
    // Nothing is known of it: it is due as it was.
    if (posted.kind === 'aborted') return
    watch.tried('webhook', outcomeOf(posted), 1)
    await settleAttempt(world, { webhook, row: delivery, posted, at, durationMs: clock() - at })
  }

  const lookout = openLookout({ look, pollMs, onError })
  return {
    ...lookout,
    /** What is under way has a moment to end, and is due again where it does not. */
    async close() {
      const end = setTimeout(() => cut.abort(), graceMs)
      await lookout.close()
      await Promise.all(drains.values())
      clearTimeout(end)
    },
  }
}

/** No rest is longer. */
const REST_AHEAD_MS = 86_400_000
