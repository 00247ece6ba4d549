import assert from 'node:assert/strict'
import { dkimSign } from 'mailauth'
import { type ArcChain, sealArc } from '#protocol/arc-seal.ts'
import { hashBody } from '#protocol/dkim-body-hash.ts'
import { coverArc, splitFields } from '#protocol/dkim-header.ts'
import { LETTER, openRoutingWorld, type RoutingWorld, SIGNING_KEY, signedBy } from '#test/routing-world.ts'
import { startScriptedPeer } from '#test/scripted-peer.ts'
import { onBothEngines } from '#test/stores.ts'

/** What a message proves of its origin decides whether it is taken, and nobody else's word about it does. */
const US = 'route1.mx.posthorn.test'
const STRICT = LETTER().replace('someone@pass.example', 'boss@strict.example')
const PEM = SIGNING_KEY.export({ type: 'pkcs8', format: 'pem' })
const crlf = (text: string) => Buffer.from(text.replaceAll(/\r?\n/g, '\r\n'))

const OURS = [
  `Authentication-Results: ${US}; dmarc=pass`,
  `authentication-results: ${US.toUpperCase()} 1; spf=pass`,
  `AUTHENTICATION-RESULTS:${US};dkim=pass`,
  `Authentication-Results: (a (nested) comment) ${US} (x) 1; spf=pass`,
  `Authentication-Results:\n ${US}\n ; spf=pass`,
  `Authentication-Results: "${US}"; spf=pass`,
  `Authentication-Results: "route1\\.mx.posthorn.test"; spf=pass`,
  `Authentication-Results: ${US}.; spf=pass`,
  `Authentication-Results: ${US}`,
  `Authentication-Results:\t\t${US}\t;\tnone`,
]

onBothEngines('results in our name are ours alone', async (t, open) => {
  const dest = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, { peers: { 'dest.example': dest.port } })
  await world.rule('info@routed.example', 'box@dest.example')
  for (const field of OURS) {
    const content = `${field}\nAuthentication-Results: other.example; spf=pass\n${LETTER()}`
    assert.equal((await world.send({ to: 'info@routed.example', content })).reply, '250 2.0.0 Ok', field)
    const raw = dest.taken.at(-1) ?? ''
    const headers = raw.slice(0, raw.indexOf('\r\n\r\n')).replaceAll(/\r\n[ \t]+/g, ' ')
    const results = headers.match(/^authentication-results:.*$/gim) ?? []
    assert.equal(results.length, 2, `${field}\n${results.join('\n')}`)
    assert.match(results[0] ?? '', /spf=pass smtp\.mailfrom=pass\.example/)
    assert.match(results[1] ?? '', /other\.example/)
  }
})

const DISGUISED: readonly (readonly [string, string])[] = [
  ['two From fields', `From: boss@strict.example\n${LETTER()}`],
  ['the same, the other way round', LETTER().replace('\nTo:', '\nFrom: boss@strict.example\nTo:')],
  ['in other case', `FROM: boss@strict.example\n${LETTER()}`],
  ['a space before the colon', `From : boss@strict.example\n${LETTER()}`],
  ['a tab before the colon', `From\t: boss@strict.example\n${LETTER()}`],
  ['a folded name', `From\n : boss@strict.example\n${LETTER()}`],
  [
    'two mailboxes',
    LETTER().replace('<someone@pass.example>', '<someone@pass.example>, boss@strict.example'),
  ],
  ['two, the other first', LETTER().replace('From: ', 'From: boss@strict.example, ')],
  ['a group', LETTER().replace(/^From: .*$/m, 'From: Us: someone@pass.example, boss@strict.example;')],
  ['an empty group', LETTER().replace(/^From: .*$/m, 'From: undisclosed:;')],
  ['no From', LETTER().replace(/^From: .*\n/m, '')],
  ['an empty From', LETTER().replace(/^From: .*$/m, 'From:')],
  ['a From without a domain', LETTER().replace(/^From: .*$/m, 'From: boss')],
  [
    'a bracket too many',
    LETTER().replace(/^From: .*$/m, 'From: <boss@strict.example> <someone@pass.example>'),
  ],
  ['a nested bracket', LETTER().replace(/^From: .*$/m, 'From: <boss@strict.example<someone@pass.example>>')],
  ['a quoted at sign', LETTER().replace(/^From: .*$/m, 'From: "boss@strict.example" <x@y@pass.example>')],
  ['no header', '\nFrom: boss@strict.example\n\nbody\n'],
  ['a line that is no field', LETTER().replace('\nTo:', '\nboss\nTo:')],
  ['a header that begins folded', ` From: boss@strict.example\n${LETTER()}`],
  ['mbox', `From boss@strict.example Mon\n${LETTER()}`],
  ['NUL in a name', `Fr\0om: boss@strict.example\n${LETTER()}`],
  ['NUL in a value', LETTER().replace('Someone', 'Some\0one')],
]

onBothEngines(
  'an author that readers see in two ways is refused, and the owner reads why',
  async (t, open) => {
    const dest = await startScriptedPeer(t, {})
    await using world = await openRoutingWorld(open, { peers: { 'dest.example': dest.port } })
    for (const [index, [what, content]] of DISGUISED.entries()) {
      const to = `info${index}@routed.example`
      await world.rule(to, 'box@dest.example')
      assert.match((await world.send({ to, content })).reply, /^55[04] 5\.[67]\.\d /, what)
      const events = await world.eventsOf(to)
      assert.deepEqual(
        events.map(({ type }) => type),
        ['rejected'],
        what,
      )
      assert.ok((events[0]?.routed.reason ?? '').length > 10, what)
      assert.equal(events[0]?.detail['sender'], 'someone@pass.example')
    }
    assert.equal(dest.connections(), 0)
  },
)

/** RFC 6376 §3.5: `l=`, which leaves the end of the body to anybody. */
async function signedShort(domain: string, content: string): Promise<Buffer> {
  const by = { signingDomain: domain, selector: 's1', privateKey: PEM, maxBodyLength: 5 }
  const { signatures } = await dkimSign(crlf(content), { ...by, signatureData: [by] })
  return Buffer.concat([Buffer.from(signatures, 'latin1'), crlf(content)])
}

onBothEngines('what is signed is what counts, and one signature of many is enough work', async (t, open) => {
  const dest = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, { peers: { 'dest.example': dest.port } })
  const signed = (await signedBy('strict.example', STRICT)).toString('latin1')
  const from = 'x@fail.example'
  const field = /^DKIM-Signature:[\s\S]*?\r\n(?![ \t])/.exec(signed)?.[0] ?? ''
  const foreign = field.replace('d=strict.example', 'd=nobody.example')
  const cases: readonly (readonly [string, string | Buffer, RegExp])[] = [
    ['as it was signed', signed, /^250 /],
    ['another From above', `From: a@pass.example\r\n${signed}`, /^55[04] /],
    ['a changed body', `${signed}more\r\n`, /^550 5\.7\.1 /],
    ['a changed From', signed.replace('boss@strict', 'chef@strict'), /^550 5\.7\.1 /],
    ['nine strangers before it', foreign.repeat(9) + signed, /^250 /],
    ['ten strangers before it', foreign.repeat(10) + signed, /^550 5\.7\.1 /],
    ['nine hundred', foreign.repeat(900) + signed, /^55[04] /],
    ['five thousand', foreign.repeat(5000) + signed, /^55[04] /],
    ['l= put into it', signed.replace('DKIM-Signature:', 'DKIM-Signature: l=5;'), /^550 /],
    ['signed with l=', await signedShort('strict.example', STRICT), /^550 5\.7\.1 /],
    [
      'and gone on with',
      `${(await signedShort('strict.example', STRICT)).toString('latin1')}more\r\n`,
      /^550 5\.7\.1 /,
    ],
    ['l= without DMARC', await signedShort('signed.example', LETTER()), /^250 /],
  ]
  for (const [index, [what, content, reply]] of cases.entries()) {
    const to = `info${index}@routed.example`
    await world.rule(to, 'box@dest.example')
    const sent = await world.send({ from, to, content: Buffer.from(content.toString('latin1'), 'latin1') })
    assert.match(sent.reply, reply, what)
    assert.deepEqual(await world.typesOf(to), [reply.source.startsWith('^250') ? 'delivered' : 'rejected'])
  }
})

/** `sets` ARC sets on top of the content, as `sealer.example` would make them. */
async function sealed(content: string, sets: number, claims: string): Promise<Buffer> {
  let message = crlf(content)
  for (let instances = 0; instances < sets; instances++) {
    const at = message.indexOf('\r\n\r\n')
    const fields = splitFields(message.toString('latin1', 0, at + 2))
    const chain: ArcChain = { result: instances === 0 ? 'none' : 'pass', instances, closed: false }
    const set = await sealArc(fields, {
      ...{ chain, authenticationResults: `sealer.example; ${claims}`, covered: coverArc(fields) },
      bodyHash: hashBody(message.subarray(at + 4)),
      identity: { domain: 'sealer.example', selector: 's1', key: SIGNING_KEY },
      at: new Date(),
    })
    if (set === undefined) break
    message = Buffer.concat([Buffer.from(set, 'latin1'), message])
  }
  return message
}

const CLAIMS = 'spf=pass smtp.mailfrom=strict.example; dkim=pass; dmarc=pass header.from=strict.example'

async function arcReplies(world: RoutingWorld): Promise<string[]> {
  const replies: string[] = []
  const fifty = await sealed(STRICT, 50, CLAIMS)
  // As whoever goes on all the same would write it.
  const newest = /^(?:ARC-[\s\S]*?\r\n(?![ \t])){3}/.exec(fifty.toString('latin1'))?.[0] ?? ''
  const over = Buffer.from(newest.replaceAll('i=50', 'i=51') + fifty.toString('latin1'), 'latin1')
  for (const content of [await sealed(STRICT, 1, CLAIMS), await sealed(STRICT, 3, CLAIMS), fifty, over]) {
    replies.push((await world.send({ from: 'x@fail.example', to: 'info@routed.example', content })).reply)
  }
  return replies.map((reply) => reply.slice(0, 9))
}

onBothEngines('a chain of strangers overrides nothing', async (t, open) => {
  const dest = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, { peers: { 'dest.example': dest.port } })
  await world.rule('info@routed.example', 'box@dest.example')
  assert.deepEqual(
    await arcReplies(world),
    Array.from({ length: 4 }, () => '550 5.7.1'),
  )
  assert.equal(dest.connections(), 0)
})

onBothEngines('a chain of somebody trusted does, up to its fiftieth set', async (t, open) => {
  const dest = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, {
    peers: { 'dest.example': dest.port },
    trustedSealers: ['sealer.example'],
  })
  await world.rule('info@routed.example', 'box@dest.example')
  assert.deepEqual(await arcReplies(world), ['250 2.0.0', '250 2.0.0', '250 2.0.0', '550 5.7.1'])
  const [one, , fifty] = dest.taken
  assert.match(one ?? '', /^ i=2; s=cf2024-1/m)
  assert.doesNotMatch(fifty ?? '', /i=51/, 'no set beyond what anybody validates')
})

onBothEngines('what DNS does not say for now is refused for now', async (t, open) => {
  const dest = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, { peers: { 'dest.example': dest.port } })
  await world.rule('info@routed.example', 'box@dest.example')
  const brokenKey = (await signedBy('broken.example', LETTER())).toString('latin1')
  // p=reject is known, and the key that might satisfy it is not.
  world.texts.set('_dmarc.half.example', 'v=DMARC1; p=reject')
  world.texts.set('half.example', 'v=spf1 include:broken.example -all')
  const half = LETTER().replace('someone@pass.example', 'a@half.example')
  const cases: readonly (readonly [string, string, string])[] = [
    ['SPF', 'x@broken.example', LETTER()],
    ['a key', 'x@fail.example', brokenKey],
    ['DMARC', 'someone@pass.example', LETTER().replace('someone@pass.example', 'a@broken.example')],
    ['SPF that would satisfy DMARC', 'a@half.example', half],
  ]
  for (const [what, from, content] of cases) {
    const { reply } = await world.send({ from, to: 'info@routed.example', content })
    assert.match(reply, /^451 4\.4\.3 /, what)
  }
  assert.deepEqual(await world.typesOf('info@routed.example'), [], 'nothing has ended yet')
  const unproven = { from: 'x@broken.example', to: ['info@routed.example', 'info@routed.example'] }
  assert.match((await world.send(unproven)).reply, /^451 /)
})

onBothEngines('quarantine is taken and told, reject is refused and told', async (t, open) => {
  const dest = await startScriptedPeer(t, {})
  await using world = await openRoutingWorld(open, { peers: { 'dest.example': dest.port } })
  await world.rule('info@routed.example', 'box@dest.example')
  const wary = LETTER().replace('someone@pass.example', 'a@wary.example')
  assert.match((await world.send({ to: 'info@routed.example', content: wary })).reply, /^250 /)
  assert.match((await world.send({ to: 'info@routed.example', content: STRICT })).reply, /^550 5\.7\.1 /)
  const events = await world.eventsOf('info@routed.example')
  assert.deepEqual(
    events.map(({ type, routed: { isSpam, spf, dmarc } }) => [type, isSpam, spf, dmarc]),
    [
      ['delivered', true, 'pass', 'fail'],
      ['rejected', false, 'pass', 'fail'],
    ],
  )
})
