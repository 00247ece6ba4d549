import assert from 'node:assert/strict'
import { EXAMPLE_QUEUE, EXAMPLE_ZONE } from '#contract/event-subscriptions.ts'
import { EXAMPLE_ACCOUNT, EXAMPLE_VERSION, EXAMPLE_WORKER } from '#contract/example-ids.ts'
import { ROLE_IDS } from '#contract/members.ts'
import { PERMISSIONS } from '#model/permission.ts'
import { type ApiOperation, OPERATIONS, pathWith } from './api-operations.ts'
import { checkedFetch } from './checked-fetch.ts'
import { deployWorker } from './deploy-worker.ts'
import type { Instance } from './instance.ts'
import { operatorToken } from './operator.ts'
import { addUserToken } from './second-account.ts'

/** An account with one object of every kind, so that each operation has something to be about. */
export interface EveryObject {
  /** What stands for a parameter in the path of an operation. */
  id(parameter: string, operation: ApiOperation): string
  /** An example with the account's own things in place of the document's. */
  named(example: unknown): unknown
  /** The token with which the account, its user or the operator asks it. */
  secretFor(operation: ApiOperation): string
  /** Every id that is the account's alone. */
  readonly own: readonly string[]
}

/** A Worker whose newest version is the one that runs, whatever is done to the other. */
const OTHER_WORKER = 'other-worker'
const isOfOther = /^workers\.(?:secrets\.|scripts\.delete$)/

/** Of the instance's own account. */
export async function everyObject(instance: Instance): Promise<EveryObject> {
  const { account_id, zone_id, api_token, dashboard } = instance.dev
  const ofUser = addUserToken(instance.directory, [account_id], { permissions: PERMISSIONS })
  const operator = operatorToken(instance)
  const known: Record<string, string> = {
    account_id,
    zone_id,
    key_name: 'own',
    attachment_id: '1',
    pause_kind: 'domain',
    pause_name: 'example.com',
  }
  const id = (parameter: string) => known[parameter] ?? assert.fail(`nothing stands for ${parameter}`)

  async function ask(operationId: string, secret: string, body?: unknown, query = ''): Promise<unknown> {
    const operation = OPERATIONS.find((each) => each.id === operationId) ?? assert.fail(operationId)
    const response = await checkedFetch(`${dashboard}${pathWith(operation, id)}${query}`, {
      method: operation.method,
      headers: { authorization: `Bearer ${secret}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    // The fetch held it against the document.
    const { result } = (await response.json()) as { readonly result: unknown }
    assert.equal(response.status, 200, operationId)
    return result
  }

  const mail = { from: 'app@yourdomain.com', subject: 's', text: 't' }
  const waiting = ['deferred+retry', 'deferred+cancel'].map((name) => `${name}@simulator.posthorn.test`)
  const attachments = [{ content: 'eA==', filename: 'x.txt', type: 'text/plain', disposition: 'attachment' }]
  const sent = await ask('sending.send', api_token, { ...mail, to: waiting, attachments })
  known['message_id'] = textIn(sent, 'message_id')
  const deliveries = await ask('messages.deliveries', api_token)
  const [first, second] = listIn(deliveries, 'deliveries').map((delivery) => textIn(delivery, 'id'))
  assert.ok(first !== undefined && second !== undefined)
  known['suppression_id'] = textIn(
    await ask('suppressions.create', api_token, { email: 'suppressed@example.com' }),
    'id',
  )
  known['dns_record_id'] = textIn(
    await ask('dns_records.create', api_token, { type: 'TXT', name: 'own', content: 'own' }),
    'id',
  )
  known['subdomain_id'] = textIn(
    await ask('sending_subdomains.create', api_token, { name: 'own.yourdomain.com' }),
    'tag',
  )
  known['rule_identifier'] = textIn(
    await ask('rules.create', api_token, {
      matchers: [{ type: 'literal', field: 'to', value: 'own@yourdomain.com' }],
      actions: [{ type: 'drop' }],
    }),
    'id',
  )
  known['destination_address_identifier'] = textIn(
    await ask('addresses.create', api_token, { email: 'me@example.com' }),
    'id',
  )
  known['namespace_id'] = textIn(await ask('kv_namespaces.create', api_token, { title: 'own' }), 'id')
  await ask('kv_values.put', api_token, 'value')
  const bindings = [{ name: 'OWN', type: 'secret_text', text: 'own' }]
  await deployWorker(instance, OTHER_WORKER, { metadata: { bindings } })
  // The consumer of the examples.
  await deployWorker(instance, 'email-worker')
  known['queue_id'] = textIn(await ask('queues.create', api_token, { queue_name: 'own' }), 'queue_id')
  known['consumer_id'] = textIn(
    await ask('queue_consumers.create', api_token, { script_name: OTHER_WORKER }),
    'consumer_id',
  )
  known['subscription_id'] = textIn(
    await ask('event_subscriptions.create', api_token, {
      source: { type: 'email.sending', zone_id, domain: 'yourdomain.com' },
      destination: { type: 'queues.queue', queue_id: known['queue_id'] },
      events: ['message.delivered'],
    }),
    'id',
  )
  known['webhook_id'] = textIn(
    await ask('webhooks.create', api_token, { url: 'https://localhost:65535/own' }),
    'id',
  )
  // Nobody is there, which is in its log.
  known['webhook_delivery_id'] = textIn(await ask('webhooks.test', api_token, {}), 'delivery_id')
  const invited = { email: 'invited@example.com', roles: [ROLE_IDS.member] }
  known['member_id'] = textIn(await ask('account.members.create', api_token, invited), 'id')
  // One that has no consumer yet.
  const freeQueue = textIn(await ask('queues.create', api_token, { queue_name: 'free' }), 'queue_id')
  const worker = await deployWorker(instance, 'own-worker', { metadata: { bindings } })
  known['script_name'] = 'own-worker'
  known['secret_name'] = 'OWN'
  known['version_id'] = worker.versionId
  known['tail_id'] = textIn(await ask('workers.tails.create', api_token, {}), 'id')
  // Of no Worker, whose routes are set as a whole.
  const route = { pattern: 'yourdomain.com/own/*' }
  known['route_id'] = textIn(await ask('workers.routes.create', api_token, route), 'id')
  const [hostName] = listOf(
    await ask('workers.scripts.domains.update', api_token, {
      origins: [{ hostname: 'own.yourdomain.com' }],
    }),
  )
  known['domain_id'] = textIn(hostName, 'id')
  const wish = withAccount(
    OPERATIONS.find((each) => each.id === 'account.tokens.create')?.example?.body,
    account_id,
  )
  const ofAccount = textIn(await ask('account.tokens.create', api_token, wish), 'id')
  const users = textIn(await ask('user.tokens.create', ofUser, wish), 'id')
  const [membership] = listOf(await ask('memberships.list', ofUser))
  known['membership_id'] = textIn(membership, 'id')

  const particular: Readonly<Record<string, string>> = { 'deliveries.cancel': second }
  return {
    id(parameter, operation) {
      if (parameter === 'queue_id' && operation.id === 'queue_consumers.create') return freeQueue
      if (parameter === 'script_name' && isOfOther.test(operation.id)) return OTHER_WORKER
      if (parameter === 'token_id') return operation.path.startsWith('/user') ? users : ofAccount
      if (parameter === 'delivery_id') return particular[operation.id] ?? first
      return id(parameter)
    },
    named: (example) =>
      JSON.parse(
        JSON.stringify(example)
          .replaceAll(EXAMPLE_VERSION, worker.versionId)
          .replaceAll(EXAMPLE_WORKER, worker.tag)
          .replaceAll(EXAMPLE_ZONE, zone_id)
          .replaceAll(EXAMPLE_QUEUE, known['queue_id'] ?? ''),
      ),
    secretFor: ({ base, path }) => {
      if (base === '/operator/v1') return operator
      return /^\/(?:user|memberships)/.test(path) ? ofUser : api_token
    },
    own: [
      ...Object.values(known).filter((value) => /^[0-9a-f-]{32,36}$/.test(value)),
      users,
      ofAccount,
      first,
      freeQueue,
    ],
  }
}

/** The same with the account in place of the one of the examples. */
export function withAccount(example: unknown, accountId: string): unknown {
  return JSON.parse(JSON.stringify(example).replaceAll(EXAMPLE_ACCOUNT, accountId))
}

function textIn(value: unknown, name: string): string {
  const text: unknown = Reflect.get(Object(value), name)
  assert.ok(typeof text === 'string', name)
  return text
}

function listIn(value: unknown, name: string): readonly unknown[] {
  return listOf(Reflect.get(Object(value), name))
}

function listOf(value: unknown): readonly unknown[] {
  assert.ok(Array.isArray(value))
  return value
}
