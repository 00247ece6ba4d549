import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { authenticate } from 'mailauth'
import type { SigningIdentity } from '#model/draft.ts'
import { type ArcChain, sealArc } from './arc-seal.ts'
import { hashBody } from './dkim-body-hash.ts'
import { coverArc, coverFields, splitFields } from './dkim-header.ts'

const SUITE = '../shared/suites/arc/arc-draft-sign-tests.json'

interface Scenario {
  readonly domain: string
  readonly sel: string
  readonly privatekey: string
  readonly tests: Record<string, SigningCase>
}
interface SigningCase {
  readonly description: string
  readonly message: string
  readonly t: string
  readonly 'sig-headers': string
  readonly 'srv-id': string
  readonly AS: string
  readonly AMS: string
  readonly AAR: string
}

/** What the suite's host would have: its own results, joined, in the message that it seals. */
function ownResults(fields: readonly string[], host: string): string {
  const payloads = fields
    .filter((field) => /^authentication-results:/i.test(field))
    .map((field) => field.slice(field.indexOf(':') + 1).trim())
    .filter((value) => value.startsWith(`${host};`))
    .map((value) => value.slice(host.length + 1).trim())
  return [host, ...payloads].join(';\r\n ')
}

/** The suite's chains are judged by what its host wrote about them. */
function statedChain(fields: readonly string[], results: string): ArcChain {
  const seals = fields.filter((field) => /^arc-seal:/i.test(field))
  const result = /\barc=(pass|fail)/.exec(results)?.[1]
  return {
    result: result === 'pass' || result === 'fail' ? result : 'none',
    instances: seals.length,
    closed: seals.some((seal) => /cv=fail/.test(seal)),
  }
}

function withoutSpace(text: string): string {
  return text.replaceAll(/\s/g, '')
}

describe('ARC signing suite', { skip: existsSync(SUITE) ? false : `${SUITE} is absent` }, () => {
  if (!existsSync(SUITE)) return
  const scenarios = JSON.parse(readFileSync(SUITE, 'utf8')) as Scenario[]
  for (const { domain, sel, privatekey, tests } of scenarios) {
    const identity: SigningIdentity = { domain, selector: sel, key: createPrivateKey(privatekey) }
    for (const [name, example] of Object.entries(tests)) {
      test(`${name}: ${example.description}`, async () => {
        const [header = '', ...paragraphs] = example.message.replaceAll('\n', '\r\n').split('\r\n\r\n')
        const body = paragraphs.join('\r\n\r\n')
        const fields = splitFields(header)
        const authenticationResults = ownResults(fields, example['srv-id'])
        const set = await sealArc(fields, {
          chain: statedChain(fields, authenticationResults),
          authenticationResults,
          covered: coverFields(fields, example['sig-headers'].split(':')),
          bodyHash: hashBody(Buffer.from(body)),
          identity,
          at: new Date(Number(example.t) * 1000),
        })
        const made = set === undefined ? [] : splitFields(set).map(withoutSpace)
        const wanted = [
          ['ARC-Seal', example.AS],
          ['ARC-Message-Signature', example.AMS],
          ['ARC-Authentication-Results', example.AAR],
        ] as const
        assert.deepEqual(
          made,
          wanted
            .filter(([, value]) => value !== '')
            .map(([field, value]) => withoutSpace(`${field}:${value}`)),
        )
      })
    }
  }
})

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const IDENTITY: SigningIdentity = { domain: 'email.example.net', selector: 'cf2024-1', key: privateKey }
const RECORD = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`
const AT = new Date('2024-11-20T21:36:00Z')
const RESULTS =
  'mx.example.net;\r\n spf=pass smtp.mailfrom=example.com;\r\n dmarc=pass header.from=example.com'
const BODY = 'Hello  \r\n\r\n'
const NONE: ArcChain = { result: 'none', instances: 0, closed: false }

async function seal(header: string, chain: ArcChain, identity = IDENTITY): Promise<string | undefined> {
  const fields = splitFields(header)
  return sealArc(fields, {
    chain,
    authenticationResults: RESULTS,
    covered: coverArc(fields),
    bodyHash: hashBody(Buffer.from(BODY, 'latin1')),
    identity,
    at: AT,
  })
}

async function verdict(header: string): Promise<string> {
  const { arc } = await authenticate(Buffer.from(`${header}\r\n${BODY}`, 'latin1'), {
    ip: '192.0.2.1',
    helo: 'a.example',
    sender: 'a@example.com',
    mta: 'mx.example.net',
    strict: true,
    resolver: (name: string, type: string) => {
      const found = type === 'TXT' && name === 'cf2024-1._domainkey.email.example.net'
      return found
        ? Promise.resolve([[RECORD]])
        : Promise.reject(Object.assign(new Error(), { code: 'ENOTFOUND' }))
    },
  })
  return `${arc === false ? 'none' : arc.status.result} i=${arc === false ? '' : String(arc.i)}`
}

const HEADER =
  'Received: from a by b; Fri, 20 Nov 2026 21:36:00 +0000\r\nFrom: Jane <jane@example.com>\r\nSubject: A\r\n\tfolded\r\n'

describe('a chain of ours', () => {
  test('validates from its first set to its fiftieth, and has no fifty-first', async () => {
    let header = HEADER
    for (let instances = 0; instances < 50; instances++) {
      const set = await seal(header, { ...NONE, result: instances === 0 ? 'none' : 'pass', instances })
      assert.ok(set !== undefined)
      for (const line of set.split('\r\n')) assert.ok(line.length <= 78 || line.startsWith(' b='), line)
      header = set + header
      if ([1, 2, 10, 50].includes(instances + 1))
        assert.equal(await verdict(header), `pass i=${instances + 1}`)
    }
    assert.equal(await seal(header, { result: 'pass', instances: 50, closed: false }), undefined)
  })

  test('that is broken on the way is sealed once more, as failed, and never after', async () => {
    const first = (await seal(HEADER, NONE)) ?? ''
    const changed = (first + HEADER).replace('Subject: A', 'Subject: B')
    assert.equal(await verdict(changed), 'fail i=1')
    const set = (await seal(changed, { result: 'fail', instances: 1, closed: false })) ?? ''
    assert.match(set, /cv=fail;.*\r\n i=2;/)
    assert.match(await verdict(set + changed), /^fail/)
    assert.equal(await seal(set + changed, { result: 'fail', instances: 2, closed: true }), undefined)
  })

  test('covers the DKIM signatures of the message (RFC 8617 §4.1.2), no results and no ARC field', async () => {
    const first = (await seal(`DKIM-Signature: v=1; d=example.com\r\n${HEADER}`, NONE)) ?? ''
    const second = await seal(
      `${first}Authentication-Results: mx.example.net; none\r\nDKIM-Signature: v=1; d=example.com\r\n${HEADER}`,
      { ...NONE, result: 'pass', instances: 1 },
    )
    const names =
      /^ h=([^;]*)/m
        .exec(second ?? '')?.[1]
        ?.replaceAll(/\s/g, '')
        .split(':') ?? []
    assert.ok(names.includes('dkim-signature') && names.includes('from') && names.includes('subject'))
    assert.ok(!names.some((name) => /^(?:arc-|auth|received)/.test(name)), names.join())
  })

  test('is not sealed where the remains of one stand before instance 1', async () => {
    assert.equal(await seal(HEADER, { result: 'fail', instances: 0, closed: false }), undefined)
  })

  const WHOLE = [
    'ARC-Seal: i=1; x',
    'ARC-Message-Signature: x; i=1',
    'ARC-Authentication-Results: (a) i = 1 ; x',
  ]
  test('is read where its instances stand in odd places', async () => {
    assert.ok(await seal(`${WHOLE.join('\r\n')}\r\n${HEADER}`, { ...NONE, result: 'pass', instances: 1 }))
  })

  const NOT_WHOLE: Record<string, readonly string[]> = {
    'a field is missing': WHOLE.slice(1),
    'a field is there twice': [...WHOLE, ...WHOLE.slice(2)],
    'an instance is no number': [...WHOLE.slice(1), 'ARC-Seal: i=one'],
    'an instance has three digits': [...WHOLE.slice(1), 'ARC-Seal: i=001'],
  }
  for (const [what, fields] of Object.entries(NOT_WHOLE)) {
    test(`is not called passed where ${what}, whoever says so`, async () => {
      const header = `${fields.join('\r\n')}\r\n${HEADER}`
      assert.equal(await seal(header, { ...NONE, result: 'pass', instances: 1 }), undefined)
    })
  }

  test('a key that is not RSA is a bug of the caller', async () => {
    const { privateKey: key } = generateKeyPairSync('ed25519')
    await assert.rejects(seal(HEADER, NONE, { ...IDENTITY, key }), TypeError)
  })
})
