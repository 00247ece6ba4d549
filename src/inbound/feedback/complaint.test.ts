import assert from 'node:assert/strict'
import { encodeCfblFeedbackId } from '#protocol/cfbl-feedback-id.ts'
import {
  FEEDBACK_KEY,
  type FeedbackWorld,
  openFeedbackWorld,
  PROVIDER_IP,
  signedBy,
} from '#test/feedback-world.ts'
import { checkInvariants, countRows, delivery, OTHER_ACCOUNT } from '#test/outbound.ts'
import { complaintReport, statusReport } from '#test/returned-mail.ts'
import { onBothEngines } from '#test/stores.ts'

function withFeedback(name: string, run: (world: FeedbackWorld) => Promise<void>): void {
  onBothEngines(name, async (_t, open) => {
    await using world = await openFeedbackWorld(open)
    await run(world)
    await checkInvariants(open.store)
  })
}

const KEPT = 'someone@remote.example'
const FBL = 'fbl@cf-bounce.yourdomain.com'
const signed = (content: Buffer) => signedBy('provider.example', content)
const originalFrom = (returnPath: string) => ({ fields: `Original-Mail-From: <${returnPath}>\n` })
const feedbackId = (messageId: string) => ({
  original: `CFBL-Feedback-ID: ${encodeCfblFeedbackId(messageId, FEEDBACK_KEY)}\n`,
})

withFeedback('a complaint suppresses for ever, has its event, and changes no state', async (world) => {
  const { deliveryId, messageId } = await world.delivered(KEPT)
  const before = await delivery(world.store, deliveryId)
  assert.equal(await world.comesBack(FBL, await signed(complaintReport(feedbackId(messageId)))), 'taken')
  const [event, ...more] = await world.reports()
  assert.deepEqual(more, [])
  assert.deepEqual([event?.type, event?.delivery_id], ['complained', deliveryId])
  assert.deepEqual(event?.detail, {
    sender: 'app@yourdomain.com',
    recipient: KEPT,
    subject: 'Hello',
    feedbackType: 'abuse',
    host: 'provider.example',
  })
  const [suppression] = await world.suppressions()
  assert.deepEqual(
    [suppression?.email, suppression?.reason, suppression?.expires_at],
    [KEPT, 'complaint', null],
  )
  assert.deepEqual(await delivery(world.store, deliveryId), before)
})

withFeedback(
  'once for each delivery, however often it is told and by however many at once',
  async (world) => {
    const { returnPath } = await world.delivered(KEPT)
    const report = await signed(complaintReport(originalFrom(returnPath)))
    const optOut = await signed(complaintReport({ type: 'opt-out', ...originalFrom(returnPath) }))
    await Promise.all(Array.from({ length: 8 }, () => world.comesBack(FBL, report)))
    assert.equal(await world.comesBack(FBL, optOut), 'taken')
    assert.equal((await world.reports()).length, 1)
    assert.equal(await countRows(world.store, 'report'), 1)
  },
)

withFeedback(
  'it is resolved by the return path it quotes, else by the id of a message with one recipient',
  async (world) => {
    const suppressed = async () => (await world.suppressions()).map(({ email }) => email)
    const several = await world.promise(['one@remote.example', 'two@remote.example'])
    await world.outcome.delivered(world.engine.next(), {})
    await world.outcome.delivered(world.engine.next(), {})
    const [, two] = several
    assert.ok(two)
    await world.comesBack(FBL, await signed(complaintReport(feedbackId(two.messageId))))
    assert.deepEqual(await suppressed(), [], 'the id of a message with two recipients names neither')
    const quoted = { original: `Return-Path: <${two.returnPath}>\n` }
    await world.comesBack(FBL, await signed(complaintReport(quoted)))
    assert.deepEqual(await suppressed(), ['two@remote.example'])
    const forged = {
      original: `CFBL-Feedback-ID: ${encodeCfblFeedbackId(two.messageId, { version: 1, key: Buffer.alloc(32, 9) })}\n`,
    }
    for (const report of [
      forged,
      {},
      { fields: 'Original-Mail-From: <someone@cf-bounce.yourdomain.com>\n' },
    ]) {
      assert.equal(await world.comesBack(FBL, await signed(complaintReport(report))), 'taken')
    }
    assert.deepEqual(await suppressed(), ['two@remote.example'], 'what names no delivery suppresses nobody')
    const own = await world.delivered('three@remote.example')
    await world.comesBack(own.returnPath, await signed(complaintReport()))
    assert.deepEqual(
      await suppressed(),
      ['three@remote.example', 'two@remote.example'],
      'it came to the return path',
    )
  },
)

withFeedback('an address of one domain hears of that domain alone, the service of all', async (world) => {
  const other = await world.delivered(KEPT, { accountId: OTHER_ACCOUNT, domain: 'other.example' })
  const own = await world.delivered('x@remote.example')
  const about = [originalFrom(other.returnPath), feedbackId(other.messageId)]
  for (const named of about) await world.comesBack(FBL, await signed(complaintReport(named)))
  await world.comesBack(own.returnPath, await signed(complaintReport(about[0])))
  const suppressed = async () =>
    (await world.suppressions()).map(({ account_id, email }) => [account_id, email])
  assert.deepEqual(
    (await suppressed()).filter(([account]) => account === OTHER_ACCOUNT),
    [],
  )
  await world.comesBack('fbl@email.posthorn.test', await signed(complaintReport(about[1])))
  assert.deepEqual(
    (await suppressed()).filter(([account]) => account === OTHER_ACCOUNT),
    [[OTHER_ACCOUNT, KEPT]],
  )
})

withFeedback('nobody who does not answer for it complains', async (world) => {
  const { returnPath } = await world.delivered(KEPT)
  const report = complaintReport(originalFrom(returnPath))
  const good = await signed(report)
  const changed = Buffer.from(good.toString('latin1').replace('complains', 'rejoices'), 'latin1')
  const stranger = complaintReport({ from: 'fbl@stranger.example', ...originalFrom(returnPath) })
  const passing = { mailFrom: 'fbl@provider.example', remoteAddress: PROVIDER_IP }
  const unproven: [string, Buffer, object][] = [
    ['unsigned', report, {}],
    ['changed on the way', changed, {}],
    ['signed with a key that DNS does not have', await signedBy('unknown.example', report), {}],
    ['from elsewhere than SPF says', report, { ...passing, remoteAddress: '192.0.2.2' }],
    ['SPF of another domain than the author’s', stranger, passing],
    ['two authors', Buffer.concat([Buffer.from('From: a@other.example\r\n'), report]), passing],
  ]
  for (const [name, content, session] of unproven) {
    assert.equal(await world.comesBack(FBL, content, session), 'taken', name)
    assert.deepEqual([await world.reports(), await world.suppressions()], [[], []], name)
  }
  const broken = await signedBy('broken.example', report)
  assert.equal(await world.comesBack(FBL, broken), 'dns-failed', 'its key may be found later')
  assert.deepEqual(await world.reports(), [])
  assert.equal(await world.comesBack(FBL, report, passing), 'taken')
  assert.equal((await world.reports()).length, 1, 'SPF for the author’s own domain is enough')
})

withFeedback('only abuse and opt-out say that somebody does not want our mail', async (world) => {
  for (const type of ['not-spam', 'fraud', 'virus', 'auth-failure', 'other', 'dkim', '']) {
    const { returnPath } = await world.delivered(`${type || 'none'}@remote.example`)
    const report = complaintReport({ type, ...originalFrom(returnPath) })
    assert.equal(await world.comesBack(FBL, await signed(report)), 'taken')
  }
  assert.deepEqual([await world.reports(), await world.suppressions()], [[], []])
  const { returnPath } = await world.delivered(KEPT)
  await world.comesBack(FBL, await signed(complaintReport({ type: 'opt-out', ...originalFrom(returnPath) })))
  await world.comesBack(FBL, await signed(complaintReport({ type: 'not-spam', ...originalFrom(returnPath) })))
  assert.deepEqual(
    (await world.suppressions()).map(({ reason }) => reason),
    ['complaint'],
    'nothing lifts it',
  )
})

withFeedback(
  'a late bounce and a complaint of one delivery are two reports, and the complaint stays',
  async (world) => {
    const { returnPath } = await world.delivered(KEPT)
    await world.comesBack(returnPath, statusReport({ recipient: KEPT }))
    await world.comesBack(FBL, await signed(complaintReport(originalFrom(returnPath))))
    assert.deepEqual(
      (await world.reports()).map(({ type }) => type),
      ['bounced', 'complained'],
    )
    assert.deepEqual(
      (await world.suppressions()).map(({ reason }) => reason),
      ['complaint'],
    )
  },
)

withFeedback('a complaint that is faster than its 250 may come again', async (world) => {
  const [sent] = await world.promise([KEPT])
  assert.ok(sent)
  const report = await signed(complaintReport(originalFrom(sent.returnPath)))
  assert.equal(await world.comesBack(FBL, report), 'unsettled')
  await world.outcome.delivered(world.engine.next(), {})
  assert.equal(await world.comesBack(FBL, report), 'taken')
  assert.equal((await world.reports()).length, 1)
})
