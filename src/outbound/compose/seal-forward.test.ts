import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { authenticate } from 'mailauth'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { ArcChain } from '#protocol/arc-seal.ts'
import { hashBody } from '#protocol/dkim-body-hash.ts'
import { signDkim } from '#protocol/dkim-sign.ts'
import { parseHeaderBlock } from '#protocol/header-block.ts'
import { oddHeader } from '#test/odd-header.ts'
import { LOOP_FIELD, loopMark } from './loop-mark.ts'
import { type ForwardFacts, sealForward } from './seal-forward.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const RECORD = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`
const AUTHOR = { domain: 'example.com', selector: 'author', key: privateKey }
const SERVICE = { domain: 'email.posthorn.test', selector: 'cf2024-1', key: privateKey }
const CUSTOMER = { domain: 'yourdomain.com', selector: 'cf2024-1', key: privateKey }
const AT = new Date('2024-11-20T21:36:00Z')
const NO_CHAIN: ArcChain = { result: 'none', instances: 0, closed: false }

function address(text: string) {
  const parsed = parseAddress(text)
  assert.ok(isAddress(parsed), text)
  return parsed
}

const LOOP_KEY = Buffer.alloc(32, 7)

const FACTS: ForwardFacts = {
  received:
    'from a.example (a.example [192.0.2.1]) by route1.mx.posthorn.test with ESMTPS id 1; Fri, 20 Nov 2026 21:36:00 +0000',
  recipient: address('info@yourdomain.com'),
  destination: address('jane.doe@destination.example'),
  loopMark: loopMark(address('info@yourdomain.com'), LOOP_KEY),
  authenticationResults:
    'mx.posthorn.test;\r\n spf=pass smtp.mailfrom=example.com;\r\n dkim=pass header.d=example.com;\r\n dmarc=pass header.from=example.com',
  arc: NO_CHAIN,
  identities: [SERVICE, CUSTOMER],
  at: AT,
}

function octets(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

async function forwarded(message: Buffer, facts: Partial<ForwardFacts> = {}): Promise<Buffer> {
  const block = parseHeaderBlock(message, { fields: 2000, bytes: 1_000_000 })
  assert.ok(!('fault' in block), 'fault' in block ? block.detail : '')
  const prefix = await sealForward(
    { header: message.subarray(0, block.bodyStart), bodyHash: hashBody(message.subarray(block.bodyStart)) },
    { ...FACTS, ...facts },
  )
  return Buffer.concat([prefix, message])
}

/** The message as its author's host signed it. */
async function signed(message: Buffer): Promise<Buffer> {
  return Buffer.concat([octets(await signDkim(message, AUTHOR, AT)), message])
}

async function verdicts(message: Buffer): Promise<string> {
  const { dkim, arc } = await authenticate(message, {
    ip: '192.0.2.1',
    helo: 'a.example',
    sender: 'a@example.com',
    mta: 'mx.destination.example',
    strict: true,
    resolver: (name: string, type: string) =>
      type === 'TXT' && name.includes('._domainkey.')
        ? Promise.resolve([[RECORD]])
        : Promise.reject(Object.assign(new Error(), { code: 'ENOTFOUND' })),
  })
  const passed = dkim.results.map(({ signingDomain, status }) => `${signingDomain} ${status.result}`)
  return [...passed, `arc ${arc === false ? 'off' : `${arc.status.result} ${String(arc.i)}`}`].join(', ')
}

const ALL = 'email.posthorn.test pass, yourdomain.com pass, example.com pass, arc pass 1'

function fieldsOf(message: Buffer): readonly (readonly [name: string, value: string])[] {
  const block = parseHeaderBlock(message, { fields: 2000, bytes: 1_000_000 })
  assert.ok(!('fault' in block))
  return block.fields.map(({ name, value }) => [name, value.replaceAll('\r\n', '').trim()])
}

const MESSAGE = octets(
  'From: Jane <jane@example.com>\r\nTo: info@yourdomain.com\r\nSubject: Hello\r\n\r\nHello\r\n',
)

describe('a forward', () => {
  test('has our trace on top of the untouched message, which verifies with all signatures and the chain', async () => {
    const original = await signed(MESSAGE)
    const sealed = await forwarded(original)
    assert.ok(sealed.subarray(-original.length).equals(original))
    assert.equal(await verdicts(sealed), ALL)
    const names = fieldsOf(sealed).map(([name]) => name)
    assert.deepEqual(names.slice(0, -4), [
      ...[
        'DKIM-Signature',
        'DKIM-Signature',
        'ARC-Seal',
        'ARC-Message-Signature',
        'ARC-Authentication-Results',
      ],
      ...['Authentication-Results', 'X-Forwarded-To', 'X-Forwarded-For', LOOP_FIELD, 'Received'],
    ])
  })

  test('says whom it was for, where it goes, and bears the mark that stops loops', async () => {
    const fields = new Map(fieldsOf(await forwarded(MESSAGE)))
    assert.equal(fields.get('X-Forwarded-To'), 'jane.doe@destination.example')
    assert.equal(fields.get('X-Forwarded-For'), 'info@yourdomain.com jane.doe@destination.example')
    assert.equal(fields.get(LOOP_FIELD), loopMark(address('INFO@YourDomain.com'), LOOP_KEY))
    for (const other of [
      loopMark(address('other@yourdomain.com'), LOOP_KEY),
      loopMark(address('info@yourdomain.com'), Buffer.alloc(32, 8)),
    ]) {
      assert.notEqual(other, fields.get(LOOP_FIELD))
    }
    assert.equal(fields.get('Received'), FACTS.received)
  })

  test('has no ARC set where sealing is off, and one signature where the customer has no key', async () => {
    const sealed = await forwarded(MESSAGE, { arc: undefined, identities: [SERVICE] })
    assert.equal(await verdicts(sealed), 'email.posthorn.test pass, arc none 0')
  })

  test('continues a chain that passes, and closes one that fails', async () => {
    const first = await forwarded(MESSAGE)
    const second = await forwarded(first, { arc: { result: 'pass', instances: 1, closed: false } })
    assert.match(await verdicts(second), /arc pass 2$/)
    const broken = octets(first.toString('latin1').replace('Subject: Hello', 'Subject: Hallo'))
    const closed = await forwarded(broken, { arc: { result: 'fail', instances: 1, closed: false } })
    assert.match(closed.toString('latin1'), /cv=fail;/)
    const after = await forwarded(closed, { arc: { result: 'fail', instances: 2, closed: true } })
    assert.doesNotMatch(after.subarray(0, after.length - closed.length).toString('latin1'), /^ARC-/m)
  })

  test('to addresses beyond ASCII has a header of ASCII, so that any host may take it', async () => {
    const sealed = await forwarded(MESSAGE, {
      recipient: address('jäne@yourdomain.com'),
      destination: address('用户@destination.example'),
    })
    assert.doesNotMatch(sealed.toString('latin1'), /[\x80-\xff]/)
    assert.match(await verdicts(sealed), /^email\.posthorn\.test pass, yourdomain\.com pass/)
  })

  test('fields that hosts add where an author left them out do not break it', async () => {
    const bare = octets('From: jane@example.com\r\nSubject: x\r\n\r\nx\r\n')
    const sealed = await forwarded(bare)
    const added = octets(
      'Date: Fri, 20 Nov 2026 21:36:00 +0000\r\nMessage-ID: <a@b.example>\r\nTo: undisclosed-recipients:;\r\n',
    )
    assert.equal(
      await verdicts(Buffer.concat([added, sealed])),
      'email.posthorn.test pass, yourdomain.com pass, arc pass 1',
    )
  })

  for (const field of [
    'From: x@evil.example',
    'Subject: x',
    'Content-Type: text/html',
    'Reply-To: x@evil.example',
    'To: x@evil.example',
  ]) {
    test(`a ${field.split(':', 1)[0]} that is added on the way breaks it`, async () => {
      const sealed = Buffer.concat([octets(`${field}\r\n`), await forwarded(MESSAGE)])
      assert.match(await verdicts(sealed), /^email\.posthorn\.test fail, yourdomain\.com fail, arc fail/)
    })
  }

  test('results that would become fields of their own are a bug of the caller', async () => {
    for (const authenticationResults of [
      '',
      ' mx; none',
      'mx; none\r\nBcc: x',
      'mx; none\r\n',
      'mx;\n none',
      'mx; nöne',
      'mx;\r\n \r\n none',
    ]) {
      await assert.rejects(forwarded(MESSAGE, { authenticationResults }), /one folded field/)
    }
  })
})

const ODD: Record<string, string> = {
  'no space after the colon': 'From:jane@example.com\r\nSubject:x',
  'a value that starts on the second line': 'From:\r\n jane@example.com\r\nSubject:\r\n\t x',
  'an empty field, and one of white space': 'From: jane@example.com\r\nSubject:\r\nTo: \t ',
  'a folded line of white space': 'From: jane@example.com\r\nSubject: a\r\n \t\r\n b',
  'tabs and runs of spaces': 'From: \t jane@example.com \t\r\nSubject: a\t\t b\r\n\t \tc',
  'odd casing of names': 'fRoM: jane@example.com\r\nSUBJECT: x\r\ndkim-SIGNATURE: v=1; x',
  'raw UTF-8': Buffer.from('From: Jäne <jane@example.com>\r\nSubject: ü用').toString('latin1'),
  'octets that are no UTF-8': 'From: jane@example.com\r\nSubject: caf\xe9 \xff',
  'fields that occur many times': `From: jane@example.com\r\n${'Comments: x\r\nTo: a@example.net\r\n'.repeat(200)}X: y`,
  'more fields of one name than a signature names': `Subject: x\r\nFrom: jane@example.com\r\n${'Keywords: x\r\n'.repeat(300)}X: y`,
  'two From': 'From: jane@example.com\r\nFrom: joe@example.com',
  'no From': 'Subject: x',
  'a line of 998 octets': `From: jane@example.com\r\nSubject: ${'x'.repeat(989)}`,
  'a References of many lines': `From: jane@example.com\r\nReferences: ${'<a.b@example.com>\r\n '.repeat(60)}<c@d.example>`,
  'signatures that say nothing': 'From: jane@example.com\r\nDKIM-Signature: \r\nDKIM-Signature: b=;;;',
  'results of others, and in our name':
    'From: jane@example.com\r\nAuthentication-Results: a.example; spf=pass\r\nAuthentication-Results: mx.posthorn.test; dkim=pass',
  'fields of ours already': `From: jane@example.com\r\nX-Forwarded-To: a@b.example\r\n${LOOP_FIELD}: x\r\nReturn-Path: <>`,
  'a colon in the value': 'From: jane@example.com\r\nSubject: a: b:c;d=e',
}

describe('an odd original', () => {
  for (const [what, header] of Object.entries(ODD)) {
    test(`with ${what} is sealed as any other`, async () => {
      const sealed = await forwarded(await signed(octets(`${header}\r\n\r\n x  y \r\n\r\n.\r\n\r\n`)))
      const heard = await verdicts(sealed)
      assert.match(heard, /^email\.posthorn\.test pass, yourdomain\.com pass, example\.com pass/)
      assert.match(heard, /arc pass 1$/)
    })
  }

  const BODIES = {
    'no body': '',
    'empty lines': '\r\n\r\n',
    'one line': 'x\r\n',
    'lines of white space': ' \t\r\n \r\nx\r\n',
    'octets of any kind': '\xff\x01\x80 \r\n',
  }
  for (const [what, body] of Object.entries(BODIES)) {
    test(`with ${what} is sealed as any other`, async () => {
      assert.equal(
        await verdicts(await forwarded(await signed(octets(`From: jane@example.com\r\n\r\n${body}`)))),
        ALL,
      )
    })
  }

  test('of hundreds of shapes, each verifies with all three signatures and the chain', async () => {
    await fc.assert(
      fc.asyncProperty(oddHeader, async (header) => {
        const original = await signed(octets(`From: a@example.com\r\n${header}\r\nx\r\n`))
        assert.equal(await verdicts(await forwarded(original)), ALL)
      }),
      { numRuns: 150 },
    )
  })
})
