import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { openBodies } from '#bodies/bodies.ts'
import { eventsOfMessage } from '#events/events.ts'
import type { Address } from '#model/address.ts'
import { serviceNames } from '#model/service.ts'
import { openLog } from '#observe/log.ts'
import { openQueue } from '#outbound/queue/queue.ts'
import { openAccounts, type Principal } from '#registry/accounts/accounts.ts'
import { openDomains } from '#registry/domains/domains.ts'
import { LOOPBACK_ADDRESSES } from '#registry/domains/service-zone.ts'
import { openQuota } from '#registry/quota/quota.ts'
import { openDestinations } from '#registry/routes/destinations.ts'
import { openSuppressions } from '#registry/suppressions/suppressions.ts'
import { type Store, statement } from '#store/store.ts'
import { onBothEngines } from '#test/stores.ts'
import { openVault } from '#vault/vault.ts'
import { openAcceptor } from './accept.ts'
import type { Accepted } from './accept-world.ts'
import type { Repeatable } from './idempotency.ts'
import type { AddressField, Fields, Raw } from './submission.ts'

/** Accept with everything real below it, and no delivery engine: what it promises waits in the store. */
async function openWorld(store: Store, directory: string, vault = openVault(randomBytes(32))) {
  const clock = Date.now
  const service = serviceNames('posthorn.test')
  const accounts = openAccounts({ store, clock })
  const domains = openDomains({ store, vault, service, addresses: LOOPBACK_ADDRESSES, clock })
  const destinations = openDestinations({ store, clock })
  const suppressions = openSuppressions({ store, clock })
  const quota = openQuota({ store })
  const bodies = openBodies({ store, directory })
  const log = openLog('silent')
  const queue = await openQueue({ store, bodies, log, node: randomUUID(), now: clock, newToken: randomUUID })
  await domains.ensureServiceKeys()
  const acceptor = openAcceptor({
    store,
    queue,
    domains,
    destinations,
    suppressions,
    quota,
    host: service.domain,
    expireMs: 60_000,
    feedbackTag: (id) => id,
    alwaysSuppressed: () => false,
    now: clock,
  })

  async function customer(
    name: string,
    zone: string,
  ): Promise<{ by: Principal; accountId: string; zoneId: string }> {
    const { id: accountId } = await accounts.createAccount(name)
    const { secret } = await accounts.createToken(accountId, { name, permissions: ['Email Sending:Edit'] })
    const found = await accounts.authenticate(secret)
    assert.ok(found.kind === 'valid')
    const by = await accounts.principal(found.token, accountId)
    const created = await domains.createZone(accountId, zone, { active: true })
    assert.ok(by && 'zone' in created)
    return { by, accountId, zoneId: created.zone.id }
  }

  return {
    customer,
    vault,
    domains,
    destinations,
    suppressions,
    bodies,
    quota,
    accept: (submission: Fields | Raw, by: Principal, repeatable?: Repeatable) =>
      acceptor.accept(submission, by, { waitMs: 0, protocol: 'HTTP', ...(repeatable && { repeatable }) }),
  }
}

const field = (address: string, pointer = '/to'): AddressField => ({ address, pointer })

function mail(from: string, to: readonly string[], more: Partial<Fields> = {}): Fields {
  return {
    kind: 'fields',
    from: field(from, '/from'),
    to: to.map((address) => field(address)),
    cc: [],
    bcc: [],
    subject: 'Subject',
    text: 'Text',
    attachments: [],
    headers: {},
    ...more,
  }
}

function rawMail(from: string, to: readonly string[], mime: string): Raw {
  return {
    kind: 'raw',
    from: field(from, '/from'),
    recipients: to.map((address) => field(address, '/recipients')),
    mime: Buffer.from(mime),
    mimePointer: '/mime_message',
  }
}

function refusal(outcome: Accepted | { kind: string }): string {
  return 'kind' in outcome ? outcome.kind : 'accepted'
}

const setDomain = (column: string) =>
  statement(`test.${column}`, `update domain set ${column} = $2 where name = $1`)
const count = statement<{ n: number }>('test.messages', 'select count(*) as n from message')
const lastMessage = statement<{ id: string; body_id: string; return_path_domain: string }>(
  'test.last-message',
  'select id, body_id, return_path_domain from message order by id desc limit 1',
)

const attachment = (bytes: number) => ({
  content: Buffer.alloc(bytes, 65),
  filename: 'a.bin',
  type: 'application/octet-stream',
  disposition: 'attachment' as const,
  pointer: '/attachments/0',
})

onBothEngines(
  'who may send: exactly the domains that are onboarded, and active',
  async (_t, { store, directory }) => {
    const world = await openWorld(store, directory)
    const { by, accountId, zoneId } = await world.customer('One', 'one.example')
    const send = async (from: string) => refusal(await world.accept(mail(from, ['x@example.com']), by))

    assert.equal(await send('a@one.example'), 'sender-domain-not-available')
    await world.domains.onboardSending({ accountId, zoneId, name: 'one.example', active: true })
    assert.equal(await send('a@one.example'), 'accepted')
    assert.equal(await send('a@ONE.example'), 'accepted')
    assert.equal(await send('a@sub.one.example'), 'sender-domain-not-available')
    await world.domains.onboardSending({ accountId, zoneId, name: 'sub.one.example', active: false })
    assert.equal(await send('a@sub.one.example'), 'sender-not-verified')

    const other = await world.customer('Two', 'two.example')
    const theirs = await world.accept(mail('a@one.example', ['x@example.com']), other.by)
    assert.equal(refusal(theirs), 'sender-not-verified')
    const off: Principal = { ...by, sendingEnabled: false }
    assert.equal(
      refusal(await world.accept(mail('a@one.example', ['x@example.com']), off)),
      'account-not-entitled',
    )
  },
)

onBothEngines('a domain that is switched off refuses by its own name', async (_t, { store, directory }) => {
  const world = await openWorld(store, directory)
  const { by, accountId, zoneId } = await world.customer('One', 'one.example')
  await world.domains.onboardSending({ accountId, zoneId, name: 'one.example', active: true })
  await store.commit([{ statement: setDomain('sending'), params: ['one.example', 'disabled'] }])
  assert.equal(refusal(await world.accept(mail('a@one.example', ['x@example.com']), by)), 'sending-disabled')
})

onBothEngines(
  'routing only: verified destinations alone, signed with cf2024-1, return path in the service domain',
  async (_t, { store, directory }) => {
    const world = await openWorld(store, directory)
    const { by, accountId, zoneId } = await world.customer('One', 'one.example')
    await world.domains.onboardRouting({ accountId, zoneId, name: 'one.example', active: true })
    await world.destinations.addDestination(accountId, 'me@dest.example' as Address, { verified: true })
    await world.destinations.addDestination(accountId, 'unproven@dest.example' as Address, {
      verified: false,
    })

    assert.equal(
      refusal(await world.accept(mail('a@one.example', ['me@dest.example', 'x@example.com']), by)),
      'recipient-not-allowed',
    )
    assert.equal(
      refusal(await world.accept(mail('a@one.example', ['unproven@dest.example']), by)),
      'recipient-not-allowed',
    )
    const accepted = await world.accept(mail('a@one.example', ['Me@DEST.example']), by)
    assert.equal(refusal(accepted), 'accepted')
    const message = await store.get(lastMessage, [])
    assert.equal(message?.return_path_domain, 'email.posthorn.test')
    assert.match(
      String(await world.bodies.read(message?.body_id ?? '')),
      /^DKIM-Signature: [\s\S]*? d=one\.example; s=cf2024-1;/,
    )
  },
)

onBothEngines(
  '5 MiB to anyone, 25 MiB when every recipient is a verified destination',
  async (_t, { store, directory }) => {
    const world = await openWorld(store, directory)
    const { by, accountId, zoneId } = await world.customer('One', 'one.example')
    await world.domains.onboardSending({ accountId, zoneId, name: 'one.example', active: true })
    await world.destinations.addDestination(accountId, 'me@dest.example' as Address, { verified: true })
    const send = async (to: string[], bytes: number) =>
      refusal(await world.accept(mail('a@one.example', to, { attachments: [attachment(bytes)] }), by))

    const mebibyte = 1_048_576
    assert.equal(await send(['x@example.com'], 3 * mebibyte), 'accepted')
    assert.equal(await send(['x@example.com'], 4 * mebibyte), 'message-too-large')
    assert.equal(await send(['me@dest.example', 'x@example.com'], 4 * mebibyte), 'message-too-large')
    assert.equal(await send(['me@dest.example'], 17 * mebibyte), 'accepted')
    assert.equal(await send(['me@dest.example'], 20 * mebibyte), 'message-too-large')
  },
)

onBothEngines(
  'a suppressed recipient refuses the whole request, which records it as rejected',
  async (_t, { store, directory }) => {
    const world = await openWorld(store, directory)
    const { by, accountId, zoneId } = await world.customer('One', 'one.example')
    await world.domains.onboardSending({ accountId, zoneId, name: 'one.example', active: true })
    await world.suppressions.addManual(accountId, {
      email: 'no@example.com' as Address,
      expiresAt: null,
      note: null,
    })

    const outcome = await world.accept(mail('a@one.example', ['yes@example.com', 'NO@example.com']), by)
    assert.ok('kind' in outcome && outcome.kind === 'recipient-suppressed')
    assert.match(outcome.detail, /NO@example\.com/)
    assert.equal((await store.get(count, []))?.n, 0, 'nothing was sent')
    const rejected = await store.all(
      statement<{ detail: string }>('test.rejected', `select detail from event where type = 'rejected'`),
      [],
    )
    const details = rejected.map(({ detail }) => JSON.parse(detail))
    assert.deepEqual(
      details.map(({ recipient, subject }) => [recipient, subject]),
      [['NO@example.com', 'Subject']],
    )
  },
)

onBothEngines(
  'drop_suppressed_recipients sends to the others, and answers 200 even when nobody is left',
  async (_t, { store, directory }) => {
    const world = await openWorld(store, directory)
    const { by, accountId, zoneId } = await world.customer('One', 'one.example')
    await world.domains.onboardSending({ accountId, zoneId, name: 'one.example', active: true })
    await store.commit([{ statement: setDomain('drop_suppressed_recipients'), params: ['one.example', 1] }])
    await world.suppressions.addManual(accountId, {
      email: 'no@example.com' as Address,
      expiresAt: null,
      note: null,
    })

    const some = await world.accept(mail('a@one.example', ['yes@example.com', 'no@example.com']), by)
    assert.ok(!('kind' in some))
    assert.deepEqual(some.queued, ['yes@example.com'])
    assert.deepEqual(some.suppressed, ['no@example.com'])
    const none = await world.accept(mail('a@one.example', ['no@example.com']), by)
    assert.ok(!('kind' in none))
    assert.deepEqual(
      [none.delivered, none.queued, none.bounced, none.suppressed],
      [[], [], [], ['no@example.com']],
    )
    assert.match(none.messageId, /@one\.example>$/)
  },
)

onBothEngines(
  'a promise is one commit: message, deliveries, body, event, quota; verified destinations do not count',
  async (_t, { store, directory }) => {
    const world = await openWorld(store, directory)
    const { by, accountId, zoneId } = await world.customer('One', 'one.example')
    await world.domains.onboardSending({ accountId, zoneId, name: 'one.example', active: true })
    await world.destinations.addDestination(accountId, 'me@dest.example' as Address, { verified: true })
    await world.accept(
      mail('a@one.example', ['x@example.com', 'y@example.com', 'me@dest.example', 'X@example.com']),
      by,
    )
    const message = await store.get(lastMessage, [])
    const events = await eventsOfMessage(store, accountId, message?.id ?? '')
    assert.deepEqual(
      events.map(({ type }) => type),
      ['accepted'],
    )
    const deliveries = await store.all(
      statement<{ recipient: string }>(
        'test.deliveries',
        'select recipient from delivery where message_id = $1 order by id',
      ),
      [message?.id ?? ''],
    )
    assert.equal(deliveries.length, 3)
    const used = await store.all(
      statement<{ recipients: number }>(
        'test.quota',
        'select recipients from quota_usage where account_id = $1',
      ),
      [accountId],
    )
    assert.equal(
      used.reduce((sum, { recipients }) => sum + recipients, 0),
      2,
    )
    assert.equal(
      await eventsOfMessage(store, 'f'.repeat(32), message?.id ?? '').then((found) => found.length),
      0,
    )
  },
)

onBothEngines(
  'promise 8 under concurrency: fifty requests with one key are one message',
  async (_t, { store, directory }) => {
    const world = await openWorld(store, directory)
    const { by, accountId, zoneId } = await world.customer('One', 'one.example')
    await world.domains.onboardSending({ accountId, zoneId, name: 'one.example', active: true })
    const once: Repeatable = { kind: 'keyed', key: 'key:k', bodyHash: 'h' }
    const submission = mail('a@one.example', ['x@example.com'])
    // Two acceptors over one store and one vault, as two processes have them.
    const second = await openWorld(store, directory, world.vault)
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? world : second).accept(submission, by, once)),
    )
    assert.equal(
      new Set(outcomes.map((outcome) => ('kind' in outcome ? outcome.kind : outcome.messageId))).size,
      1,
    )
    assert.equal((await store.get(count, []))?.n, 1)
    const other = await world.accept(submission, by, { ...once, bodyHash: 'other' })
    assert.equal(refusal(other), 'idempotency-key-reused')
  },
)

onBothEngines(
  'raw: the envelope and the From header must both be ours; the header signs; Bcc goes nowhere',
  async (_t, { store, directory }) => {
    const world = await openWorld(store, directory)
    const { by, accountId, zoneId } = await world.customer('One', 'one.example')
    await world.domains.onboardSending({ accountId, zoneId, name: 'one.example', active: true })
    const mime = (from: string) =>
      `From: ${from}\nTo: shown@example.com\nBcc: secret@example.com\nSubject: raw\nX-Keep: yes\nUser-Agent: test\n\nbody\n`
    const send = async (envelope: string, header: string) =>
      refusal(await world.accept(rawMail(envelope, ['x@example.com'], mime(header)), by))

    assert.equal(await send('bounce@one.example', 'Me <me@one.example>'), 'accepted')
    assert.equal(await send('bounce@one.example', 'me@elsewhere.example'), 'sender-domain-not-available')
    assert.equal(await send('bounce@elsewhere.example', 'me@one.example'), 'sender-domain-not-available')
    assert.equal(await send('bounce@one.example', 'a@one.example, b@one.example'), 'content-invalid')
    const message = await store.get(lastMessage, [])
    const content = String(await world.bodies.read(message?.body_id ?? ''))
    assert.doesNotMatch(content, /Bcc|secret@|User-Agent/)
    assert.match(content, /\r\nX-Keep: yes\r\n/)
    assert.match(content, /\r\n\r\nbody\r\n$/)
  },
)
