import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { generateKeyPairSync } from 'node:crypto'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { dkimVerify } from 'mailauth/lib/dkim/verify.js'
import PostalMime from 'postal-mime'
import { isAddress, parseAddress } from '#protocol/address.ts'
import { fieldText, type HeaderBlock, isAscii, parseHeaderBlock } from '#protocol/header-block.ts'
import { parseMailboxList } from '#protocol/mailbox-list.ts'
import { draft, mailbox, PLATFORM } from '#test/varied-drafts.ts'
import { composeMessage } from './compose-message.ts'
import { composeRaw, readRawMessage } from './compose-raw.ts'
import { signMessage } from './sign-message.ts'

/** RFC 6532: addresses in UTF-8, everything else as ever. */

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const IDENTITY = { domain: 'example.com', selector: 'cf-bounce', key: privateKey }
const RECORD = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`

function composed(raw: string): Buffer {
  const message = readRawMessage(Buffer.from(raw))
  assert.ok(!('kind' in message), 'kind' in message ? message.detail : '')
  return composeRaw(message, PLATFORM)
}

function blockOf(content: Buffer): HeaderBlock {
  const block = parseHeaderBlock(content, { fields: 2000, bytes: 1 << 20 })
  assert.ok(!('fault' in block), 'fault' in block ? block.detail : '')
  return block
}

function headerOf(content: Buffer): Buffer {
  return content.subarray(0, blockOf(content).bodyStart)
}

function textOf(content: Buffer, name: string): string | undefined {
  const field = blockOf(content).fields.find((field) => field.name === name)
  return field && fieldText(field)
}

async function verdictOn(content: Buffer): Promise<string> {
  const signed = await signMessage(content, IDENTITY, PLATFORM.date)
  const resolver = () => Promise.resolve([[RECORD]])
  const { results } = await dkimVerify(signed, { resolver, curTime: PLATFORM.date })
  return results.map(({ status }) => status.result).join()
}

describe('addresses beyond ASCII', () => {
  test('of a draft stand as UTF-8 in From, To, Cc and Reply-To; names and subject stay encoded', async () => {
    const content = await composeMessage(
      draft({
        from: mailbox('jäne@example.com', 'Jäne'),
        to: [mailbox('用户@例え.テスト', '山田 太郎'), mailbox('"jö, e"@example.net')],
        cc: [mailbox('пётр@example.net')],
        replyTo: mailbox('δοκιμή@example.com'),
        subject: 'Grüße',
        text: 'Grüße',
      }),
      PLATFORM,
    )
    assert.equal(textOf(content, 'From'), '=?UTF-8?Q?J=C3=A4ne?= <jäne@example.com>')
    assert.equal(
      textOf(content, 'To'),
      '=?UTF-8?B?5bGx55SwIOWkqumDjg==?= <用户@xn--r8jz45g.xn--zckzah>, <"jö, e"@example.net>',
    )
    assert.equal(textOf(content, 'Cc'), 'пётр@example.net')
    assert.equal(textOf(content, 'Reply-To'), 'δοκιμή@example.com')
    assert.equal(textOf(content, 'Subject'), '=?UTF-8?B?R3LDvMOfZQ==?=')
    const email = await PostalMime.parse(content)
    assert.deepEqual(email.from, { address: 'jäne@example.com', name: 'Jäne' })
    assert.deepEqual(email.to?.[0], { address: '用户@xn--r8jz45g.xn--zckzah', name: '山田 太郎' })
    assert.equal(await verdictOn(content), 'pass')
  })

  test('of a raw message likewise, in NFC', async () => {
    const content = composed(
      'From: Jäne <ja\u0308ne@example.com>\nTo: Jöe <jöe@bücher.example>,\n ann@example.net\nReply-To: <用户@example.com>\nSubject: Grüße\n\nx',
    )
    assert.equal(textOf(content, 'From'), '=?UTF-8?Q?J=C3=A4ne?= <jäne@example.com>')
    assert.equal(textOf(content, 'To'), '=?UTF-8?Q?J=C3=B6e?= <jöe@xn--bcher-kva.example>, ann@example.net')
    assert.equal(textOf(content, 'Reply-To'), '用户@example.com')
    assert.equal(await verdictOn(content), 'pass')
  })

  test('where only domains, names and texts are, the header is ASCII: such mail asks for no SMTPUTF8', async () => {
    const raw = composed(
      'From: Jäne <jane@example.com>\nTo: Jöe <joe@bücher.example>, ann@例え.テスト\nCc: пример@example.net <cy@почта.example>\nSubject: Grüße\n\nx',
    )
    assert.ok(isAscii(headerOf(raw).toString('latin1')))
    assert.match(textOf(raw, 'To') ?? '', /<joe@xn--bcher-kva\.example>, ann@xn--r8jz45g\.xn--zckzah$/)
    const content = await composeMessage(
      draft({ to: [mailbox('joe@bücher.example', 'Jöe')], text: 'Grüße' }),
      PLATFORM,
    )
    assert.ok(isAscii(content.toString('latin1')))
  })

  test('a field of a raw message that hides something in one is refused, naming it', () => {
    for (const [field, refusal] of [
      ['To: j\u202eäne@example.net', /^Header 'To' is no list of addresses\. .*invisible/],
      ['Cc: jäne@example.net＞, ＜ceo@bank.example', /^Header 'Cc' is no list/],
      ['Reply-To: \u0338jane@example.net', /^Header 'Reply-To' is no list/],
      ['To: jäne@example.net\u2028Bcc: x@example.net', /^Header 'To' must not contain/],
    ] as const) {
      const message = readRawMessage(Buffer.from(`From: a@example.com\r\n${field}\r\n\r\nx`))
      assert.ok('kind' in message)
      assert.match(message.detail, refusal)
    }
  })

  test('any of them are one field each, UTF-8, no line over 998 octets, read back as they were and signed', async () => {
    const address = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .map((local) => parseAddress(`${local}@bücher.example`))
      .filter(isAddress)
    const name = fc.option(fc.string({ unit: 'grapheme', maxLength: 60 }), { nil: undefined })
    const mailboxes = fc.array(
      fc.tuple(address, name).map(([address, name]) => mailbox(address, name)),
      { minLength: 1, maxLength: 8 },
    )
    await fc.assert(
      fc.asyncProperty(mailboxes, async (to) => {
        const [from = mailbox('a@example.com')] = to
        const written = await composeMessage(draft({ from, to, cc: to, replyTo: from, text: 'x' }), PLATFORM)
        const header = headerOf(written)
        assert.ok(isUtf8(header))
        assert.ok(
          header
            .toString('latin1')
            .split('\r\n')
            .every((line) => line.length <= 998),
        )
        const addresses = to.map(({ address }) => address)
        for (const content of [written, composed(written.toString())]) {
          for (const field of ['To', 'Cc']) {
            const list = parseMailboxList(textOf(content, field) ?? '')
            assert.deepEqual('fault' in list ? list : list.map(({ address }) => address), addresses)
          }
          assert.equal(blockOf(content).fields.filter(({ name }) => /^(from|to)$/i.test(name)).length, 2)
          assert.equal(await verdictOn(content), 'pass')
        }
      }),
      { numRuns: 60 },
    )
  })
})
