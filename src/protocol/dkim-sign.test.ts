import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import type { SigningIdentity } from '#model/draft.ts'
import { oddHeader } from '#test/odd-header.ts'
import { hashBody } from './dkim-body-hash.ts'
import { signDkim } from './dkim-sign.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const IDENTITY: SigningIdentity = { domain: 'example.com', selector: 'cf-bounce', key: privateKey }
const RECORD = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`
const AT = new Date('2026-11-20T21:36:00Z')

const resolver = (name: string): Promise<string[][]> => {
  assert.equal(name, 'cf-bounce._domainkey.example.com')
  return Promise.resolve([[RECORD]])
}

function octets(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

/** The tags of a signature, once each (RFC 6376 §3.2), white space taken out. */
function tagsOf(field: string): Map<string, string> {
  const list = field.slice(field.indexOf(':') + 1).replaceAll(/\s/g, '')
  const tags = new Map<string, string>()
  for (const tag of list.split(';')) {
    const [, name = '', value = ''] = /^([a-z]+)=(.*)$/.exec(tag) ?? []
    assert.ok(name !== '' && !tags.has(name), `a tag is malformed or repeated: ${tag}`)
    tags.set(name, value)
  }
  return tags
}

async function verdictOf(field: string, content: Buffer): Promise<string> {
  const { results } = await dkimVerify(Buffer.concat([octets(field), content]), {
    resolver,
    curTime: AT,
    strict: true,
  })
  return results
    .map(({ status }) => `${status.result}${status.comment ? ` (${status.comment})` : ''}`)
    .join(', ')
}

async function assertVerifies(content: Buffer): Promise<Map<string, string>> {
  const field = await signDkim(content, IDENTITY, AT)
  assert.equal(await verdictOf(field, content), 'pass', JSON.stringify(content.toString('latin1')))
  return tagsOf(field)
}

describe('relaxed body canonicalisation (RFC 6376 §3.4.4)', () => {
  const CASES: readonly (readonly [body: string, canonical: string])[] = [
    ['', ''],
    ['\r\n', ''],
    ['\r\n\r\n', ''],
    [' \t\r\n \r\n', ''],
    ['a', 'a\r\n'],
    ['a\r\n', 'a\r\n'],
    ['a\r\n\r\n\r\n', 'a\r\n'],
    ['a\r\n \r\n\t\r\n', 'a\r\n'],
    ['a  \t b\r\n', 'a b\r\n'],
    ['a\tb\r\n', 'a b\r\n'],
    ['a \r\nb\t\r\n', 'a\r\nb\r\n'],
    ['a  ', 'a\r\n'],
    ['  a\r\n', ' a\r\n'],
    ['\r\n\r\na\r\n', '\r\n\r\na\r\n'],
    ['a\r\n\r\nb\r\n', 'a\r\n\r\nb\r\n'],
    // RFC 6376 §3.4.5, the example's body.
    [' C \r\nD \t E\r\n\r\n\r\n', ' C\r\nD E\r\n'],
    ['caf\xe9 \xff\r\n', 'caf\xe9 \xff\r\n'],
    ['.a\r\n..\r\n', '.a\r\n..\r\n'],
  ]
  for (const [body, canonical] of CASES) {
    test(`${JSON.stringify(body)} is hashed as ${JSON.stringify(canonical)}`, () => {
      assert.equal(hashBody(octets(body)), createHash('sha256').update(octets(canonical)).digest('base64'))
    })
  }
})

describe('DKIM-Signature', () => {
  const MESSAGE = octets(
    [
      'Received: from a by b; Fri, 20 Nov 2026 21:36:00 +0000',
      'From: Jane <jane@example.com>',
      'To: joe@example.net',
      'Subject: A folded',
      '\tsubject  with   spaces ',
      'X-Campaign: 1',
      'List-Unsubscribe: <https://example.com/u>',
      'List-Unsubscribe-Post: List-Unsubscribe=One-Click',
      'CFBL-Address: fbl@example.com',
      '',
      'Hello',
      '',
    ].join('\r\n'),
  )

  test('is rsa-sha256, relaxed/relaxed, with the domain, selector and time given and no body length', async () => {
    const tags = await assertVerifies(MESSAGE)
    assert.deepEqual([...tags.keys()], ['v', 'a', 'c', 'd', 's', 't', 'h', 'bh', 'b'])
    assert.equal(tags.get('a'), 'rsa-sha256')
    assert.equal(tags.get('c'), 'relaxed/relaxed')
    assert.equal(tags.get('d'), 'example.com')
    assert.equal(tags.get('s'), 'cf-bounce')
    assert.equal(tags.get('t'), String(AT.getTime() / 1000))
  })

  test('covers what matters to a reader, never trace or X- fields', async () => {
    const covered = (await assertVerifies(MESSAGE)).get('h')?.split(':') ?? []
    for (const name of [
      'from',
      'to',
      'subject',
      'list-unsubscribe',
      'list-unsubscribe-post',
      'cfbl-address',
    ]) {
      assert.ok(covered.includes(name), name)
    }
    for (const name of ['received', 'return-path', 'x-campaign', 'dkim-signature'])
      assert.ok(!covered.includes(name), name)
  })

  const OVERSIGNED = [
    'From To Cc Subject Date Reply-To Message-ID MIME-Version Content-Type Content-Transfer-Encoding',
    'In-Reply-To References List-Unsubscribe List-Unsubscribe-Post',
  ].flatMap((line) => line.split(' '))
  for (const name of OVERSIGNED) {
    test(`RFC 6376 §8.15: ${name} is named once more than it occurs, so adding one breaks the signature`, async () => {
      const field = await signDkim(MESSAGE, IDENTITY, AT)
      const occurs = MESSAGE.toString('latin1').match(new RegExp(`^${name}:`, 'gim'))?.length ?? 0
      const named = tagsOf(field)
        .get('h')
        ?.split(':')
        .filter((covered) => covered === name.toLowerCase())
      assert.equal(named?.length, occurs + 1)
      assert.match(await verdictOf(field, Buffer.concat([octets(`${name}: added\r\n`), MESSAGE])), /^fail/)
    })
  }

  test('of a field that occurs twice both are covered, from the bottom up', async () => {
    const content = octets('From: a@example.com\r\nComments: one\r\nComments: two\r\n\r\n')
    await assertVerifies(content)
    const field = await signDkim(content, IDENTITY, AT)
    for (const changed of ['one', 'two']) {
      const forged = octets(content.toString('latin1').replace(changed, 'three'))
      assert.match(await verdictOf(field, forged), /^fail/)
    }
  })

  test('changing the body breaks it', async () => {
    const field = await signDkim(MESSAGE, IDENTITY, AT)
    assert.match(
      await verdictOf(field, octets(MESSAGE.toString('latin1').replace('Hello', 'Hallo'))),
      /body hash/,
    )
  })

  test('is folded at 78 and signs long domains too', async () => {
    const identity = { ...IDENTITY, domain: `${'a'.repeat(60)}.${'b'.repeat(60)}.example` }
    const field = await signDkim(MESSAGE, identity, AT)
    assert.match(field, /^DKIM-Signature: [ -~]+(?:\r\n [ -~]+)*\r\n$/)
    for (const line of field.split('\r\n')) assert.ok(line.length <= 78 || line.startsWith(' d='), line)
  })

  const SHAPES: Record<string, string> = {
    'no body': 'From: a@example.com\r\n\r\n',
    'no final line end': 'From: a@example.com\r\n\r\nx',
    'an empty field': 'From: a@example.com\r\nSubject:\r\n\r\nx\r\n',
    'a field of white space': 'From: a@example.com\r\nSubject: \t \r\n\r\nx\r\n',
    'a value without a space before it': 'From:a@example.com\r\nSubject:x\r\n\r\nx\r\n',
    'a value that starts on the second line': 'From:\r\n a@example.com\r\nSubject:\r\n\t x\r\n\r\nx\r\n',
    'tabs and runs of spaces': 'From: \t a@example.com \t\r\nSubject: a\t\t b\r\n\t \tc\r\n\r\nx\r\n',
    'odd casing of names': 'fRoM: a@example.com\r\nSUBJECT: x\r\n\r\nx\r\n',
    '8-bit octets in header and body':
      'From: a@example.com\r\nSubject: caf\xe9 \xc3\xbc\r\n\r\n\xff\xfe\x80\r\n',
    'lines of dots': 'From: a@example.com\r\n\r\n.\r\n..\r\n.a\r\n',
    'a colon in the value': 'From: a@example.com\r\nSubject: a: b:c\r\n\r\nx\r\n',
  }
  for (const [shape, message] of Object.entries(SHAPES)) {
    test(`verifies with ${shape}`, async () => {
      await assertVerifies(octets(message))
    })
  }

  test('verifies for hundreds of messages of every shape', async () => {
    const body = fc.array(fc.constantFrom('a', ' ', '\t', '  ', '\r\n', '\r\n\r\n', '.', '\xff', 'word'), {
      maxLength: 30,
    })
    await fc.assert(
      fc.asyncProperty(oddHeader, body, async (header, body) => {
        // SMTP ends every body with CRLF; mailauth reads a last line of white space without one differently.
        const ended = body.length === 0 ? '' : `${body.join('')}\r\n`
        await assertVerifies(octets(`From: a@example.com\r\n${header}\r\n${ended}`))
      }),
      { numRuns: 400 },
    )
  })

  test('a key that is not RSA is a bug of the caller', async () => {
    const { privateKey: key } = generateKeyPairSync('ed25519')
    await assert.rejects(signDkim(MESSAGE, { ...IDENTITY, key }, AT), TypeError)
  })
})
