import { newId } from '#store/id.ts'
import { type Store, statement, type Write } from '#store/store.ts'
import type { Vault } from '#vault/vault.ts'
import type { EventName } from './event-names.ts'
import { makeDue } from './replay.ts'
import { WEBHOOK_COLUMNS, type Webhook, type WebhookPlace, type WebhookRow, webhookOf } from './webhook.ts'
import { newWebhookSecret, openSecrets, rotated, sealSecrets } from './webhook-secret.ts'
import { readWebhookUrl, type UrlRules } from './webhook-url.ts'

/** What an account says about a webhook; what it leaves out of a change stays. */
export interface WebhookWish {
  readonly url: string
  readonly description: string
  readonly events: readonly EventName[] | null
  /** In lower-case A-labels. */
  readonly domains: readonly string[] | null
  readonly enabled: boolean
}

/** What else is to be in the commit that changes a webhook. */
export type RecordWebhook = (change: {
  readonly before?: Webhook
  readonly after?: Webhook
}) => readonly Write[]

export type WebhookFault =
  | { readonly kind: 'bad-url'; readonly detail: string }
  /** The account has no domain of this name. */
  | { readonly kind: 'no-domain'; readonly index: number }
  | { readonly kind: 'too-many' }

/** Which addresses are told of what. */
export interface Webhooks {
  webhook(place: WebhookPlace): Promise<Webhook | undefined>
  /** In the order in which they were made. */
  listWebhooks(accountId: string): Promise<readonly Webhook[]>
  /** The secret is told here and nowhere else. */
  createWebhook(
    accountId: string,
    wish: WebhookWish,
    record: RecordWebhook,
  ): Promise<{ readonly webhook: Webhook; readonly secret: string } | WebhookFault>
  /** `enabled: true` also ends a pause: what waits is due at once. */
  changeWebhook(
    place: WebhookPlace,
    wish: Partial<WebhookWish>,
    record: RecordWebhook,
  ): Promise<Webhook | WebhookFault | undefined>
  /** What waits for it is not told any more, and its log goes. */
  removeWebhook(place: WebhookPlace, record: RecordWebhook): Promise<Webhook | undefined>
  /** A new secret; the one before signs beside it for a while, so that a receiver may change over. */
  rotateSecret(
    place: WebhookPlace,
    overlapMs: number,
    record: RecordWebhook,
  ): Promise<{ readonly webhook: Webhook; readonly secret: string } | undefined>
}

export interface WebhooksWorld {
  readonly store: Store
  readonly vault: Vault
  readonly urls: UrlRules
  readonly clock: () => number
}

/** Each is a row for each event, in the commit that takes it out of the outbox. */
export const WEBHOOKS_PER_ACCOUNT = 20
// Each lost race means that somebody else made progress.
const RACES = 10

const OF_ACCOUNT = 'account_id = $1 and deleted_at is null'

const byId = statement<WebhookRow>(
  'webhook.by-id',
  `select ${WEBHOOK_COLUMNS} from webhook w where ${OF_ACCOUNT} and id = $2`,
)
const all = statement<WebhookRow>(
  'webhook.all',
  `select ${WEBHOOK_COLUMNS} from webhook w where ${OF_ACCOUNT} order by created_at, id`,
)
const domainNamed = statement<{ readonly found: number }>(
  'webhook.domain',
  'select 1 as found from domain where account_id = $1 and name = $2',
)
const insert = statement(
  'webhook.insert',
  `insert into webhook (id, account_id, url, description, events, domains, state, secrets, failures, rest_until, leased_until,
     created_at, modified_at)
   select $2, $1, $3, $4, $5, $6, $7, $8, 0, 0, 0, cast($9 as bigint), cast($9 as bigint)
   where (select count(*) from webhook where ${OF_ACCOUNT}) < ${WEBHOOKS_PER_ACCOUNT}`,
)
// Where the state is to stay, $8 is null: it may have been paused since it was read.
const update = statement(
  'webhook.update',
  `update webhook set url = $4, description = $5, events = $6, domains = $7, state = coalesce($8, state), modified_at = $9,
     paused_at = case when cast($8 as text) is null then paused_at end,
     pause_reason = case when cast($8 as text) is null then pause_reason end
   where ${OF_ACCOUNT} and id = $2 and modified_at = $3`,
)
// A new beginning: another address, or the word of its owner that it works again.
const forgive = statement(
  'webhook.forgive',
  `update webhook set failures = 0, failing_since = null, dropped = 0, rest_until = 0
   where ${OF_ACCOUNT} and id = $2`,
)
const setSecrets = statement(
  'webhook.set-secrets',
  `update webhook set secrets = $4, modified_at = $5 where ${OF_ACCOUNT} and id = $2 and modified_at = $3`,
)
const markDeleted = statement(
  'webhook.delete',
  `update webhook set deleted_at = $3 where ${OF_ACCOUNT} and id = $2`,
)

export function openWebhooks({ store, vault, urls, clock }: WebhooksWorld): Webhooks {
  const rowOf = ({ accountId, webhookId }: WebhookPlace) => store.get(byId, [accountId, webhookId])
  const webhook = async (place: WebhookPlace) => {
    const row = await rowOf(place)
    return row && webhookOf(row)
  }

  async function check(accountId: string, wish: Partial<WebhookWish>): Promise<WebhookFault | undefined> {
    const target = wish.url === undefined ? undefined : readWebhookUrl(wish.url, urls)
    if (target && 'detail' in target) return { kind: 'bad-url', detail: target.detail }
    for (const [index, name] of (wish.domains ?? []).entries()) {
      if (!(await store.get(domainNamed, [accountId, name]))) return { kind: 'no-domain', index }
    }
    return undefined
  }

  return {
    webhook,

    async listWebhooks(accountId) {
      return (await store.all(all, [accountId])).map(webhookOf)
    },

    async createWebhook(accountId, wish, record) {
      const fault = await check(accountId, wish)
      if (fault) return fault
      const [id, secret, at] = [newId(), newWebhookSecret(), clock()]
      const { enabled, ...kept } = wish
      const state = enabled ? 'active' : 'disabled'
      const after: Webhook = {
        ...{ id, accountId, ...kept, state, pausedAt: null, pauseReason: null },
        ...{ failures: 0, failingSince: null, dropped: 0, createdAt: at, modifiedAt: at },
      }
      const sealed = sealSecrets(vault, { webhookId: id, accountId }, [{ secret }])
      const params = [accountId, id, ...valuesOf(after), state, sealed, at]
      const committed = await store.commit([{ statement: insert, params, rows: 1 }, ...record({ after })])
      return committed.ok ? { webhook: after, secret } : { kind: 'too-many' }
    },

    async changeWebhook(place, { enabled, ...wish }, record) {
      const { accountId, webhookId } = place
      const fault = await check(accountId, wish)
      if (fault) return fault
      for (let race = 0; race < RACES; race++) {
        const before = await webhook(place)
        if (!before) return undefined
        const state = enabled === undefined ? null : enabled ? 'active' : 'disabled'
        const isAnew = state === 'active' || (wish.url !== undefined && wish.url !== before.url)
        const after: Webhook = {
          ...{ ...before, ...wish, state: state ?? before.state },
          ...(isAnew && { failures: 0, failingSince: null, dropped: 0 }),
          ...(state !== null && { pausedAt: null, pauseReason: null }),
          modifiedAt: Math.max(clock(), before.modifiedAt + 1),
        }
        const params = [accountId, webhookId, before.modifiedAt, ...valuesOf(after), state, after.modifiedAt]
        const committed = await store.commit([
          { statement: update, params, rows: 1 },
          ...(isAnew ? [{ statement: forgive, params: [accountId, webhookId], rows: 1 }] : []),
          ...record({ before, after }),
        ])
        if (!committed.ok) continue
        if (isAnew && after.state === 'active') await makeDue(store, webhookId)
        return after
      }
      throw new Error(`changing webhook ${webhookId} lost ${RACES} races in a row`)
    },

    async removeWebhook(place, record) {
      const before = await webhook(place)
      if (!before) return undefined
      const params = [place.accountId, place.webhookId, clock()]
      const committed = await store.commit([
        { statement: markDeleted, params, rows: 1 },
        ...record({ before }),
      ])
      return committed.ok ? before : undefined
    },

    async rotateSecret(place, overlapMs, record) {
      const { accountId, webhookId } = place
      for (let race = 0; race < RACES; race++) {
        const row = await rowOf(place)
        if (!row) return undefined
        const before = webhookOf(row)
        const [secret, now] = [newWebhookSecret(), clock()]
        const secrets = rotated(openSecrets(vault, place, row.secrets), secret, { now, overlapMs })
        const after = { ...before, modifiedAt: Math.max(now, before.modifiedAt + 1) }
        const sealed = sealSecrets(vault, place, secrets)
        const params = [accountId, webhookId, before.modifiedAt, sealed, after.modifiedAt]
        const set = [{ statement: setSecrets, params, rows: 1 }, ...record({ before, after })]
        if ((await store.commit(set)).ok) return { webhook: after, secret }
      }
      throw new Error(`rotating the secret of webhook ${webhookId} lost ${RACES} races in a row`)
    },
  }
}

function valuesOf({ url, description, events, domains }: Webhook) {
  const json = (names: readonly string[] | null) => (names === null ? null : JSON.stringify(names))
  return [url, description, json(events), json(domains)]
}
