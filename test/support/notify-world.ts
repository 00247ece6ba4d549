import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { EventDetail, EventType } from '#model/event.ts'
import { serviceNames } from '#model/service.ts'
import type { HostAddress } from '#net/resolver.ts'
import { openAccounts } from '#registry/accounts/accounts.ts'
import { auditWrite } from '#registry/accounts/audit.ts'
import { openDomains } from '#registry/domains/domains.ts'
import { LOOPBACK_ADDRESSES } from '#registry/domains/service-zone.ts'
import { newId } from '#store/id.ts'
import { type Store, statement } from '#store/store.ts'
import { openVault } from '#vault/vault.ts'
import { openQueues } from '#workers/storage/queues.ts'
import type { TellableEvent } from '../../src/notify/lifecycle-event.ts'
import { type NotifyWorld, openNotify } from '../../src/notify/notify.ts'
import type { WebhookWish } from '../../src/notify/webhooks.ts'
import { receiverAuthority } from './webhook-receiver.ts'

export const NOTHING = () => []

/** Another process that is given `environment` opens what this one sealed, and trusts whom it trusts. */
const MASTER_KEY = Buffer.from(process.env['TEST_MASTER_KEY'] ?? randomBytes(32).toString('hex'), 'hex')
const service = serviceNames('posthorn.test')

/** An account with the domain yourdomain.com in both services, and who tells of its mail. Names under `example` are this
 *  machine. */
export async function openNotifyWorld(store: Store, options: Partial<NotifyWorld> = {}) {
  const clock = Date.now
  const vault = openVault(MASTER_KEY)
  const accounts = openAccounts({ store, clock })
  const domains = openDomains({ store, vault, service, addresses: LOOPBACK_ADDRESSES, clock })
  const queues = await openQueues({ store, clock })
  const errors: unknown[] = []
  const addresses = new Map<string, readonly string[]>()
  const ca = process.env['TEST_RECEIVER_CA'] ?? (await receiverAuthority()).certificate
  const notify = await openNotify({
    ...{ store, vault, queues, clock, random: () => 0, ca },
    resolver: {
      async addresses(name) {
        const found = addresses.get(name) ?? (name.endsWith('.example') ? ['127.0.0.1'] : [])
        const records = found.map((address): HostAddress => ({ address, family: 4 }))
        return records.length > 0 ? { kind: 'found', records } : { kind: 'no-such-name' }
      },
    },
    mayDial: (address) => address === '127.0.0.1',
    plainHttp: true,
    recordPause: (webhook, at) => [
      auditWrite({
        ...{ accountId: webhook.accountId, actor: 'system', action: 'webhook.pause', at },
        resource: { type: 'webhook', id: webhook.id },
      }),
    ],
    onError: (error) => errors.push(error),
    ...{ pollMs: 20, graceMs: 500, restMs: 20, ...options },
  })

  async function addAccount(name = 'A', zone = 'yourdomain.com') {
    const accountId = (await accounts.createAccount(name)).id
    const created = await domains.createZone(accountId, zone, { active: true })
    assert.ok(created.kind === 'created')
    const zoneId = created.zone.id
    const request = { accountId, zoneId, name: zone, active: true }
    await domains.onboardSending(request)
    await domains.onboardRouting(request)
    return { accountId, zoneId, domain: { name: zone, zoneId } }
  }

  async function addWebhook(accountId: string, wish: Partial<WebhookWish> & Pick<WebhookWish, 'url'>) {
    const all = { description: '', events: null, domains: null, enabled: true }
    const made = await notify.webhooks.createWebhook(accountId, { ...all, ...wish }, NOTHING)
    assert.ok('webhook' in made, JSON.stringify(made))
    return { ...made, place: { accountId, webhookId: made.webhook.id } }
  }

  async function addQueue(accountId: string, name = 'mail-events') {
    const wish = { name, deliveryDelay: 0, retention: 345_600, paused: false }
    const made = await queues.createQueue(accountId, wish, NOTHING)
    assert.ok(typeof made !== 'string')
    return made
  }

  return {
    environment: { TEST_MASTER_KEY: MASTER_KEY.toString('hex'), TEST_RECEIVER_CA: ca },
    ...{ notify, queues, domains, accounts, vault, errors, addresses, addAccount, addWebhook, addQueue },
    /** What the projector does with a batch, apart from history. */
    async project(...events: readonly TellableEvent[]): Promise<void> {
      const writes = await notify.notificationsFor(events)
      const committed = await store.commit([...writes, { statement: nothing, params: [] }])
      assert.ok(committed.ok)
    },
  }
}

/** For a set that must not be empty. */
const nothing = statement('test.nothing', 'delete from node where id is null')

/** An event of a message of the account. */
export function eventOf(
  of: { readonly accountId: string; readonly domain: { readonly name: string; readonly zoneId: string } },
  type: EventType,
  more: {
    readonly messageId?: string | null
    readonly detail?: EventDetail
    readonly at?: number
    readonly id?: string
  } = {},
): TellableEvent {
  const { messageId = newId(), at = Date.now(), id = newId() } = more
  return {
    ...{ id, at, accountId: of.accountId, messageId, terminal: type !== 'deferred', domain: of.domain, type },
    detail: { sender: `app@${of.domain.name}`, recipient: 'user@to.example', subject: 'Hi', ...more.detail },
  }
}
