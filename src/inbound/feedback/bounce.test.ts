import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Address } from '#model/address.ts'
import { encodeCfblFeedbackId } from '#protocol/cfbl-feedback-id.ts'
import { encodeReturnPath } from '#protocol/return-path.ts'
import { newId } from '#store/id.ts'
import { FEEDBACK_KEY, type FeedbackWorld, openFeedbackWorld, RETURN_KEY } from '#test/feedback-world.ts'
import { checkInvariants, countRows, deliveriesIn, delivery, OTHER_ACCOUNT } from '#test/outbound.ts'
import { statusReport } from '#test/returned-mail.ts'
import { onBothEngines } from '#test/stores.ts'
import { judgeBounce } from './judge-bounce.ts'

function withFeedback(name: string, run: (world: FeedbackWorld) => Promise<void>): void {
  onBothEngines(name, async (_t, open) => {
    await using world = await openFeedbackWorld(open)
    await run(world)
    await checkInvariants(open.store)
  })
}

const KEPT = 'someone@remote.example'

withFeedback(
  'a late bounce is a report: its event, its suppression, and no change of state',
  async (world) => {
    const { deliveryId, returnPath } = await world.delivered(KEPT)
    const before = await delivery(world.store, deliveryId)
    assert.equal(await world.comesBack(returnPath, statusReport({ recipient: KEPT })), 'taken')
    const [event, ...more] = await world.reports()
    assert.deepEqual(more, [])
    assert.deepEqual([event?.type, event?.terminal, event?.delivery_id], ['bounced', 0, deliveryId])
    assert.deepEqual(event?.detail, {
      sender: 'app@yourdomain.com',
      recipient: KEPT,
      subject: 'Hello',
      cause: 'recipient-unknown',
      smtpReply: '550 5.1.1 No such user here',
      smtpStatus: 550,
      enhancedStatus: '5.1.1',
      host: 'mail.remote.example',
      address: '192.0.2.99',
    })
    const [suppression] = await world.suppressions()
    assert.deepEqual(
      [suppression?.email, suppression?.reason, suppression?.expires_at],
      [KEPT, 'hard_bounce', null],
    )
    assert.deepEqual(await delivery(world.store, deliveryId), before)
  },
)

withFeedback('the same bounce counts once, one after the other and all at once', async (world) => {
  const { returnPath } = await world.delivered(KEPT)
  const report = statusReport({ recipient: KEPT })
  const taken = await Promise.all(Array.from({ length: 12 }, () => world.comesBack(returnPath, report)))
  assert.deepEqual(new Set(taken), new Set(['taken']))
  assert.equal(await world.comesBack(returnPath, report), 'taken')
  assert.equal(await world.comesBack(returnPath, statusReport({ recipient: KEPT, status: '5.2.2' })), 'taken')
  assert.equal((await world.reports()).length, 1)
  assert.equal(await countRows(world.store, 'report'), 1)
  assert.equal(await countRows(world.store, 'suppression'), 1)
})

withFeedback('only what speaks of the mailbox suppresses, a full one for a day', async (world) => {
  const cases: [string, string, string, string | undefined][] = [
    ['full', '5.2.2', 'smtp; 552 5.2.2 Mailbox full', 'soft_bounce'],
    ['spam', '5.7.1', 'smtp; 550 5.7.1 Message rejected as spam', undefined],
    [
      'dmarc',
      '5.7.26',
      'smtp; 550 5.7.26 Unauthenticated email is not accepted due to DMARC policy',
      undefined,
    ],
    ['expired', '4.4.7', 'smtp; 451 4.4.7 Delivery time expired', undefined],
    ['loop', '5.4.6', 'smtp; 554 5.4.6 Too many hops', undefined],
    ['gone', '5.1.1', 'smtp; 550 5.1.1 User unknown', 'hard_bounce'],
  ]
  for (const [name, status, diagnostic, reason] of cases) {
    const recipient = `${name}@remote.example`
    const { returnPath, deliveryId } = await world.delivered(recipient)
    await world.comesBack(returnPath, statusReport({ recipient, status, diagnostic }))
    const events = (await world.reports()).filter(({ delivery_id }) => delivery_id === deliveryId)
    assert.equal(events.length, 1, `${name} has its event`)
    const found = (await world.suppressions()).find(({ email }) => email === recipient)
    assert.equal(found?.reason, reason, name)
    if (reason === 'soft_bounce') {
      const hours = (Number(found?.expires_at) - Date.now()) / 3_600_000
      assert.ok(hours > 23.9 && hours <= 24)
    }
  }
})

withFeedback('delays, successes, auto-replies and letters change nothing', async (world) => {
  const { returnPath } = await world.delivered(KEPT)
  const letters = [
    statusReport({ recipient: KEPT, action: 'delayed', status: '4.4.1' }),
    statusReport({ recipient: KEPT, action: 'delivered', status: '2.0.0', diagnostic: 'smtp; 250 Ok' }),
    statusReport({ recipient: KEPT, action: 'relayed', status: '2.0.0', diagnostic: 'smtp; 250 Ok' }),
    Buffer.from(
      'From: someone@remote.example\r\nSubject: Out of office\r\nAuto-Submitted: auto-replied\r\n\r\nBack on Monday.\r\n',
    ),
    Buffer.from('From: someone@remote.example\r\nSubject: Re: Hello\r\n\r\nThank you!\r\n'),
    Buffer.from(''),
  ]
  for (const letter of letters) assert.equal(await world.comesBack(returnPath, letter), 'taken')
  assert.deepEqual([await world.reports(), await world.suppressions()], [[], []])
  assert.equal(await countRows(world.store, 'report'), 0)
})

withFeedback(
  'what we have not settled is not ended by mail; what failed here cannot fail again',
  async (world) => {
    const [first, second] = await world.promise(['a@remote.example', 'b@remote.example'])
    assert.ok(first && second)
    const report = statusReport({ recipient: 'a@remote.example' })
    assert.equal(
      await world.comesBack(first.returnPath, report),
      'unsettled',
      'its 250 may be on its way to the disk',
    )
    await world.outcome.refused(world.engine.next(), {}, { permanent: false, cause: 'greylisted' })
    assert.equal(await world.comesBack(first.returnPath, report), 'taken', 'it waits')
    await world.outcome.refused(world.engine.next(), {}, { permanent: true, cause: 'policy' })
    assert.equal(await world.comesBack(second.returnPath, report), 'taken', 'it bounced')
    assert.deepEqual([await world.reports(), await world.suppressions()], [[], []])
    assert.deepEqual((await deliveriesIn(world.store)).map(({ state }) => state).sort(), [
      'bounced',
      'waiting',
    ])
  },
)

withFeedback(
  'a return path is one delivery, of its own account, at its own domain, while it lasts',
  async (world) => {
    const other = await world.delivered(KEPT, { accountId: OTHER_ACCOUNT, domain: 'other.example' })
    const own = await world.delivered(KEPT)
    const tag = own.returnPath.slice(0, own.returnPath.indexOf('@'))
    const kindOf = async (address: string) => (await world.feedback.whoIs(address as Address))?.kind
    const flipped = `${tag.slice(0, -2)}${tag.at(-2) === 'a' ? 'b' : 'a'}${tag.at(-1)}`
    const addresses: Record<string, [string, string | undefined]> = {
      'as it was made': [own.returnPath, 'return-path'],
      'in capitals': [`${tag.toUpperCase()}@cf-bounce.yourdomain.com`, 'return-path'],
      'at the domain of another account': [`${tag}@cf-bounce.other.example`, 'unknown'],
      'in the service domain': [`${tag}@email.posthorn.test`, 'unknown'],
      forged: [`${flipped}@cf-bounce.yourdomain.com`, 'unknown'],
      'with another key': [
        `${encodeReturnPath(own.deliveryId, { version: 1, key: Buffer.alloc(32, 9) })}@cf-bounce.yourdomain.com`,
        'unknown',
      ],
      'with a key of a version that is not': [
        `${encodeReturnPath(own.deliveryId, { ...RETURN_KEY, version: 2 })}@cf-bounce.yourdomain.com`,
        'unknown',
      ],
      'made for another purpose': [
        `${encodeCfblFeedbackId(own.deliveryId, RETURN_KEY)}@cf-bounce.yourdomain.com`,
        'unknown',
      ],
      'with a key of complaints': [
        `${encodeReturnPath(own.deliveryId, FEEDBACK_KEY)}@cf-bounce.yourdomain.com`,
        'unknown',
      ],
      'of no delivery': [`${encodeReturnPath(newId(), RETURN_KEY)}@cf-bounce.yourdomain.com`, 'unknown'],
      'no tag': ['postmaster@cf-bounce.yourdomain.com', 'unknown'],
      'with an address inside': ['user%victim@cf-bounce.yourdomain.com', 'unknown'],
      'a domain that is none': [`${tag}@cf-bounce.nobody.example`, undefined],
      'the sending domain itself': [`${tag}@yourdomain.com`, undefined],
      'for complaints': ['FBL@cf-bounce.yourdomain.com', 'complaints'],
    }
    for (const [name, [address, kind]] of Object.entries(addresses))
      assert.equal(await kindOf(address), kind, name)
    await world.comesBack(other.returnPath, statusReport({ recipient: KEPT }))
    assert.deepEqual(
      (await world.suppressions()).map(({ account_id }) => account_id),
      [OTHER_ACCOUNT],
      'the account that sent it, and no other',
    )
  },
)

onBothEngines('tags expire, and outlive a change of key', async (_t, open) => {
  let passed = 0
  const older = { version: 7, key: Buffer.alloc(32, 7) }
  await using world = await openFeedbackWorld(open, {
    returnPathKeys: [RETURN_KEY, older],
    now: () => Date.now() + passed,
    tagLifeMs: 1000_000,
  })
  const { deliveryId, returnPath } = await world.delivered(KEPT)
  const before = `${encodeReturnPath(deliveryId, older)}@cf-bounce.yourdomain.com` as Address
  assert.equal((await world.feedback.whoIs(before))?.kind, 'return-path')
  passed = 900_000
  assert.equal((await world.feedback.whoIs(returnPath))?.kind, 'return-path')
  passed = 1000_001
  assert.equal((await world.feedback.whoIs(returnPath))?.kind, 'expired')
  assert.equal((await world.feedback.whoIs(before))?.kind, 'expired')
})

withFeedback('bounces to the address for complaints count for nothing', async (world) => {
  await world.delivered(KEPT)
  for (const address of ['fbl@cf-bounce.yourdomain.com', 'fbl@email.posthorn.test']) {
    assert.equal(await world.comesBack(address, statusReport({ recipient: KEPT })), 'taken')
  }
  assert.deepEqual([await world.reports(), await world.suppressions()], [[], []])
})

withFeedback(
  'a bounce of 25 MiB, of a hundred thousand parts or of none is taken like any other',
  async (world) => {
    const recipient = 'x@remote.example'
    const opening = 'From: mailer-daemon@x.example\r\nContent-Type: multipart/report; boundary=b\r\n\r\n'
    const part = `Final-Recipient: rfc822; other@remote.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n`
    const bombs = {
      'a large original': Buffer.concat([
        statusReport({ recipient }),
        Buffer.alloc(25 * 1024 * 1024, 'x\r\n'),
      ]),
      'parts in parts': Buffer.from(
        `${opening}${'--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n'.repeat(100_000)}`,
      ),
      recipients: Buffer.from(
        `${opening}--b\r\nContent-Type: message/delivery-status\r\n\r\n${part.repeat(60_000)}`,
      ),
      'a header without an end': Buffer.from('Subject: failure notice\r\n'.repeat(200_000)),
      noise: Buffer.alloc(1024 * 1024, '\0\xff<@>\n'),
    }
    for (const [name, bomb] of Object.entries(bombs)) {
      const { returnPath } = await world.delivered(recipient)
      assert.equal(await world.comesBack(returnPath, bomb), 'taken', name)
    }
  },
)

test('the part of a report that names our recipient decides; else all of them must say the same', () => {
  const ours = 'Alias@Remote.example' as Address
  const gone = { action: 'failed', status: '5.1.1', diagnostic: '550 5.1.1 User unknown' } as const
  const spam = {
    action: 'failed',
    status: '5.7.1',
    diagnostic: '550 5.7.1 Message rejected as spam',
  } as const
  const sent = { action: 'delivered', status: '2.0.0' } as const
  const box = { recipient: 'box@remote.example' }
  const named = { recipient: 'alias@remote.example' }
  const verdict = (...recipients: Parameters<typeof judgeBounce>[0]['recipients']) => {
    const judged = judgeBounce({ recipients }, ours)
    return judged && (judged.classified.suppression?.reason ?? 'no suppression')
  }
  assert.equal(verdict({ ...gone, ...named }), 'hard_bounce')
  assert.equal(verdict({ ...gone, originalRecipient: 'ALIAS@remote.example', ...box }), 'hard_bounce')
  assert.equal(verdict({ ...sent, ...named }, { ...gone, ...box }), undefined, 'ours arrived')
  assert.equal(verdict({ ...gone, ...named }, { ...sent, ...box }), 'hard_bounce')
  assert.equal(verdict({ ...gone, ...box }), 'hard_bounce', 'a mailbox behind an alias')
  assert.equal(verdict({ ...gone, ...box }, { ...spam, ...box }), 'no suppression', 'not every one is gone')
  assert.equal(verdict({ ...gone, ...box }, { ...sent, ...box }), undefined, 'one of several behind a list')
  assert.equal(verdict(), 'no suppression', 'a report that names nobody')
})
