import assert from 'node:assert/strict'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import type { Address } from '#model/address.ts'
import { serviceNames } from '#model/service.ts'
import { dueLanes } from '#outbound/queue/due-lanes.ts'
import { messageById } from '#outbound/queue/message-by-id.ts'
import {
  ACCOUNT,
  claimFrom,
  countRows,
  deliveriesIn,
  HandEngine,
  OTHER_ACCOUNT,
  openOutbound,
} from '#test/outbound.ts'
import { onBothEngines } from '#test/stores.ts'
import { openVerificationMail } from './verification-mail.ts'

const HOUR_MS = 3_600_000
const to = 'me@dest.example' as Address
const link = 'https://posthorn.test/verify-address/x'

onBothEngines(
  'it goes the way of all mail, signed by the service, from nobody, and for its readers alone',
  async (_t, open) => {
    const engine = new HandEngine()
    await using outbound = await openOutbound(open.store, open.directory, { engine })
    const { store, bodies, queue, domains, outcome, node } = outbound
    await queue.stop()
    const service = serviceNames('posthorn.test')
    const mails = openVerificationMail({
      bodies,
      queue,
      domains,
      service,
      linkMs: 24 * HOUR_MS,
      expireMs: 99 * HOUR_MS,
    })
    const at = Date.now()
    const committed = await store.commit(await mails.promise({ accountId: ACCOUNT, to, link, at }))
    assert.ok(committed.ok)
    mails.promised()

    const [row] = await deliveriesIn(store)
    assert.ok(row)
    const message = await messageById(store, row.message_id)
    assert.deepEqual(
      [message.accountId, message.domainId, message.sender, message.returnPathDomain, message.previewEnabled],
      [ACCOUNT, null, '', '', false],
    )
    assert.equal(await countRows(store, 'quota_usage'), 0)
    const content = await bodies.read(message.bodyId)
    assert.ok(content)
    assert.ok(content.includes(link))
    const resolver = async (name: string) => {
      const answer = await domains.authority.answers(name, 'TXT')
      assert.ok(answer.kind === 'answer', name)
      return answer.records.map((record) => [record.type === 'TXT' ? record.text : ''])
    }
    const { results } = await dkimVerify(content, { resolver, strict: true })
    assert.deepEqual(
      results.map(({ status, signingDomain }) => [status.result, signingDomain]),
      [['pass', service.email]],
    )

    const [lane] = await dueLanes(store, undefined, 9)
    assert.ok(lane)
    const [claimed] = await claimFrom(store, lane, { node, limit: 9, longestWaitMs: HOUR_MS })
    assert.ok(claimed)
    assert.equal(claimed.expiresAt, at + 24 * HOUR_MS, 'no longer than its link lives')
    const suppression = { reason: 'hard_bounce', forMs: null } as const
    await outcome.refused(
      claimed,
      { reply: '550 5.1.1 No' },
      { permanent: true, cause: 'recipient-unknown', suppression },
    )
    assert.equal(await countRows(store, 'suppression'), 0, 'it suppresses nobody')
    assert.equal((await deliveriesIn(store)).length, 1, 'and nobody is told')
    await bodies.sweep(Date.now() + 1)
    assert.equal(await bodies.read(message.bodyId), undefined, 'the link does not stay')
  },
)

onBothEngines('nobody is buried in them', async (_t, open) => {
  await using outbound = await openOutbound(open.store, open.directory, {})
  const { bodies, queue, domains } = outbound
  const service = serviceNames('posthorn.test')
  const open24 = { bodies, queue, domains, service, linkMs: HOUR_MS, expireMs: HOUR_MS }
  const mails = openVerificationMail(open24)
  const at = 1_800_000_000_000
  const take = (accountId: string, address: string, later = 0) =>
    mails.take({ accountId, to: address as Address, at: at + later })
  for (let i = 0; i < 10; i++)
    assert.ok(take(i % 2 ? ACCOUNT : OTHER_ACCOUNT, i % 3 ? to : 'ME@dest.example'))
  assert.equal(take(ACCOUNT, to), false)
  assert.equal(take(OTHER_ACCOUNT, to), false)
  assert.equal(take(ACCOUNT, 'me+again@dest.example'), false)
  assert.ok(take(ACCOUNT, '+me@dest.example'))
  assert.ok(take(ACCOUNT, 'you@dest.example'))
  assert.ok(take(ACCOUNT, to, HOUR_MS))

  const fresh = openVerificationMail(open24)
  for (let i = 0; i < 500; i++)
    assert.ok(fresh.take({ accountId: ACCOUNT, to: `u${i}@x.example` as Address, at }))
  assert.equal(fresh.take({ accountId: ACCOUNT, to: 'one-more@x.example' as Address, at }), false)
})
