import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { EventDetail, EventType } from '#model/event.ts'
import type { Routed } from '#model/routing.ts'
import { namesIn } from './event-names.ts'
import { envelopeFor, type KnownMessage, lifecycleEvent } from './lifecycle-event.ts'

const EVENT = {
  id: '0190d0c47e9a7b3c9f121a2b3c4d5e6f',
  at: Date.parse('2026-06-01T02:48:57.132Z'),
  accountId: 'f9f79265f388666de8122cfb508d7776',
  messageId: '0190d0c47e0070009f121a2b3c4d5e6f',
  terminal: true,
  domain: { name: 'example.com', zoneId: '023e105f4ecef8ad9ca31a8372d0c353' },
} as const

const MESSAGE: KnownMessage = {
  headerMessageId: '<0190d0c47e0070009f121a2b3c4d5e6f@example.com>',
  isForward: false,
  createdAt: EVENT.at - 1234,
}

const DETAIL = { sender: 'noreply@example.com', recipient: 'user@example.net', subject: 'Welcome' } as const

function told(type: EventType, detail: EventDetail = {}, message: KnownMessage | undefined = MESSAGE) {
  const event = lifecycleEvent({ ...EVENT, type, detail: { ...DETAIL, ...detail } }, message)
  return event && JSON.parse(envelopeFor(event, '1830c4bb612e43c3af7f4cada31fbf3f'))
}

test('the envelope of a delivered message, as the original writes it', () => {
  const smtpReply = '250 2.0.0 OK 1714820445 a1b2c3 - gsmtp'
  const detail = { host: 'gmail-smtp-in.l.google.com', smtpReply, smtpStatus: 250, durationMs: 300 }
  assert.deepEqual(told('delivered', detail), {
    type: 'cf.email.sending.message.delivered',
    source: {
      type: 'email.sending',
      zoneId: '023e105f4ecef8ad9ca31a8372d0c353',
      domain: 'example.com',
    },
    payload: {
      eventId: '0190d0c4-7e9a-7b3c-9f12-1a2b3c4d5e6f',
      messageId: '<0190d0c47e0070009f121a2b3c4d5e6f@example.com>',
      sender: 'noreply@example.com',
      recipient: 'user@example.net',
      subject: 'Welcome',
      terminal: true,
      delivery: {
        status: 'delivered',
        provider: 'gmail',
        deliveryTimeMs: 1234,
        smtpStatusCode: '250',
        smtpEnhancedStatusCode: '2.0.0',
        smtpResponse: smtpReply,
      },
    },
    metadata: {
      accountId: 'f9f79265f388666de8122cfb508d7776',
      eventSubscriptionId: '1830c4bb612e43c3af7f4cada31fbf3f',
      eventSchemaVersion: 1,
      eventTimestamp: '2026-06-01T02:48:57.132Z',
    },
  })
})

test('what a deferral, a bounce and its kinds, a failure, a rejection and a complaint say', () => {
  const reply = (smtpReply: string, cause: EventDetail['cause']): EventDetail => ({
    ...{ smtpReply, host: 'mx.example.net' },
    ...(cause && { cause }),
  })
  const deferred = told('deferred', reply('451 4.2.0 Temporary mailbox error', 'system'))
  assert.equal(deferred.payload.terminal, false)
  assert.equal(deferred.payload.delivery.provider, 'external_smtp')
  assert.equal(deferred.payload.delivery.smtpStatusCode, '451')
  assert.equal(deferred.payload.delivery.smtpEnhancedStatusCode, '4.2.0')
  assert.deepEqual(deferred.payload.bounce, {
    ...{ type: 'soft', classification: 'temporary_failure', reason: '451 4.2.0 Temporary mailbox error' },
  })
  const hard = told('bounced', reply('550 5.1.1 User unknown', 'recipient-unknown'))
  assert.deepEqual(hard.payload.bounce, {
    ...{ type: 'hard', classification: 'permanent_failure', reason: '550 5.1.1 User unknown' },
  })
  for (const cause of ['expired', 'recipient-full', 'recipient-rate-limited'] as const)
    assert.equal(told('bounced', reply('452 4.2.2 Full', cause)).payload.bounce.type, 'soft')
  assert.equal(told('bounced', { cause: 'policy' }).payload.bounce.reason, 'policy')
  assert.deepEqual(told('failed').payload.failure, { reason: 'delivery_failed' })
  assert.deepEqual(told('failed', { cause: 'host-unreachable' }).payload.failure, {
    reason: 'host_unreachable',
  })
  const cancelled = told('dropped', { cause: 'cancelled' })
  assert.equal(cancelled.type, 'cf.email.sending.message.failed')
  assert.deepEqual(cancelled.payload.failure, { reason: 'cancelled' })
  assert.deepEqual(told('rejected', { cause: 'suppressed' }).payload.rejection, {
    ...{ reason: 'suppressed', party: 'recipient', detail: 'Recipient is suppressed' },
  })
  const complained = told('complained', { feedbackType: 'abuse' }).payload
  assert.deepEqual(
    [complained.complaint, complained.delivery, complained.terminal],
    [{ type: 'abuse' }, { status: 'complained' }, true],
  )
  assert.ok(!('subject' in complained))
})

test('a rejection without a message has an id all the same, and its domain from its sender', () => {
  const event = { ...EVENT, messageId: null, domain: undefined }
  const detail = { ...DETAIL, cause: 'suppressed' } as EventDetail
  const told = lifecycleEvent({ ...event, type: 'rejected', detail }, undefined)
  assert.equal(told?.payload['messageId'], `<${EVENT.id}@example.com>`)
  assert.deepEqual(told?.source, { type: 'email.sending', zoneId: null, domain: 'example.com' })
  assert.equal(told?.orderKey, EVENT.id)
})

const ROUTED = {
  ...{ ruleId: 'rule', action: 'forward', recipient: 'info@example.com', isSpam: false, isNdr: false },
  ...{ spf: 'pass', dkim: 'pass', dmarc: 'pass', sessionId: 's', remoteAddress: '192.0.2.1' },
} as unknown as Routed

test('routed mail has names of its own, and what routing decided', () => {
  const routed = { ...DETAIL, sender: 'them@example.org', recipient: 'me@example.net', routed: ROUTED }
  const names = (
    ['deferred', 'delivered', 'bounced', 'failed', 'rejected', 'dropped', 'handled'] as const
  ).map((type) => told(type, routed).type)
  assert.deepEqual(
    names,
    ['deferred', 'forwarded', 'bounced', 'failed', 'rejected', 'dropped', 'handled'].map(
      (word) => `cf.email.routing.message.${word}`,
    ),
  )
  const { payload, source } = told('delivered', routed)
  assert.deepEqual(source.type, 'email.routing')
  assert.equal(payload.recipient, 'info@example.com')
  assert.equal(payload.messageId, EVENT.messageId)
  assert.equal(payload.delivery.status, 'forwarded')
  assert.deepEqual(payload.routing, {
    ...{ action: 'forward', ruleId: 'rule', spf: 'pass', dkim: 'pass', dmarc: 'pass' },
    ...{ isSpam: false, isNdr: false, destination: 'me@example.net' },
  })
  // What an operator does to a forward says nothing of where it came from; the queue does.
  const forward = { ...MESSAGE, isForward: true }
  assert.equal(told('dropped', { cause: 'cancelled' }, forward).type, 'cf.email.routing.message.dropped')
})

test('a domain’s rates that crossed a threshold, and what they are made of', () => {
  const figures = { days: 7, settled: 1000, delivered: 900, hardBounced: 90, complained: 2 }
  const problems = ['hard_bounce.high']
  const detail = { domain: 'example.com', service: 'sending', problems, figures } as const
  const event = { ...EVENT, messageId: null, type: 'deliverability-declined', detail } as const
  const told = lifecycleEvent(event, undefined)
  assert.equal(told?.name, 'cf.email.sending.domain.deliverability_declined')
  assert.deepEqual([told.payload['problems'], told.payload['figures']], [problems, figures])
  assert.ok(!namesIn('email.routing').some((name) => name.includes('deliverability')))
})

test('drift of a domain and its end', () => {
  const detail = { domain: 'example.com', service: 'routing', problems: ['mx.missing'] } as const
  const event = lifecycleEvent({ ...EVENT, messageId: null, type: 'dns-drifted', detail }, undefined)
  assert.equal(event?.name, 'cf.email.routing.domain.dns_drifted')
  assert.deepEqual(event?.payload['problems'], ['mx.missing'])
  assert.equal(event?.orderKey, 'email.routing example.com')
})

test('nobody is told of steps within the queue, nor of the service’s own mail', () => {
  for (const type of ['accepted', 'held', 'released', 'handled'] as const) assert.equal(told(type), undefined)
  assert.equal(told('delivered', { sender: '' }), undefined)
})

test('whatever strangers answered, the envelope is bounded, and its name one that can be subscribed to', () => {
  const types: EventType[] = [
    'deferred',
    'delivered',
    'bounced',
    'failed',
    'rejected',
    'dropped',
    'complained',
  ]
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constant('\u0000\ud800"\\'),
    fc.constant('x'.repeat(99_999)),
  )
  const detail = fc.record({ smtpReply: text, subject: text, sender: text, host: text, recipient: text })
  fc.assert(
    fc.property(fc.constantFrom(...types), detail, (type, given) => {
      const event = lifecycleEvent({ ...EVENT, type, detail: given }, MESSAGE)
      if (!event?.of) return assert.equal(given.sender, '')
      const json = envelopeFor(event, 'id')
      assert.ok(json.length < 128_000)
      assert.equal(JSON.parse(json).type, event.name)
      assert.ok(namesIn(event.of.source).includes(event.of.name))
    }),
  )
})
