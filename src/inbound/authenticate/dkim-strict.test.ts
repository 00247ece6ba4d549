import assert from 'node:assert/strict'
import { createSign, generateKeyPairSync, hash, type KeyObject } from 'node:crypto'
import { test } from 'node:test'
import { verifyMail } from './verify-mail.ts'

const pairOf = (modulusLength: number) => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength })
  return { privateKey, published: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') }
}
const good = pairOf(2048)
const short = pairOf(768)

const KEYS: Record<string, string> = {
  's1._domainkey.author.example': `v=DKIM1; k=rsa; p=${good.published}`,
  'short._domainkey.author.example': `v=DKIM1; p=${short.published}`,
  'exact._domainkey.author.example': `v=DKIM1; t=s; p=${good.published}`,
  'sha1._domainkey.author.example': `v=DKIM1; h=sha1; p=${good.published}`,
  'web._domainkey.author.example': `v=DKIM1; s=web; p=${good.published}`,
  'gone._domainkey.author.example': 'v=DKIM1; p=',
  'twice._domainkey.author.example': `v=DKIM1; p=${good.published}; p=${good.published}`,
}

const BODY = 'body\r\n'

interface Signing {
  /** Everything but `b=`, which must be as relaxed canonicalisation leaves it. */
  readonly tags: string
  readonly key?: KeyObject
  readonly digest?: 'sha1' | 'sha256'
  readonly after?: string
}

/** Signs by hand what no signer would. The field and From are written as relaxed canonicalisation leaves them. */
async function judged({ tags, key = good.privateKey, digest = 'sha256', after = '' }: Signing) {
  const bodyHash = hash(digest, BODY, 'base64')
  const unsigned = `${tags.replace('BH', `bh=${bodyHash}`)}; b=`
  const input = `from:a@author.example\r\ndkim-signature:${unsigned}`
  const b = createSign(digest).update(input).sign(key, 'base64')
  const message = `DKIM-Signature: ${unsigned}${b}\r\nFrom: a@author.example\r\n\r\n${BODY}${after}`
  const { dkim } = await verifyMail(
    {
      content: { kind: 'memory', bytes: Buffer.from(message) },
      remoteAddress: '192.0.2.1',
      helo: 'h.example',
      mailFrom: '',
    },
    {
      ask: async ({ name }) => {
        const text = KEYS[name]
        return text === undefined ? { code: 'ENOTFOUND' } : { records: [[text]] }
      },
    },
  )
  assert.equal(dkim.length, 1)
  return dkim[0]
}

const BASE = 'v=1; a=rsa-sha256; c=relaxed/relaxed; d=author.example; s=s1; h=from; BH'

test('a signature by hand passes, so that what follows fails for its own reason', async () => {
  assert.equal((await judged({ tags: BASE }))?.result, 'pass')
  assert.equal((await judged({ tags: `${BASE}; i=b@sub.author.example` }))?.result, 'pass')
  assert.equal((await judged({ tags: `${BASE}; l=6` }))?.result, 'pass')
})

const now = () => Math.floor(Date.now() / 1000)

const REFUSED: Record<string, Signing> = {
  'rsa-sha1 (RFC 8301 §3.1)': { tags: BASE.replace('rsa-sha256', 'rsa-sha1'), digest: 'sha1' },
  'a key under 1024 bits (RFC 8301 §3.2)': { tags: BASE.replace('s=s1', 's=short'), key: short.privateKey },
  'i= outside d= (RFC 6376 §6.1.1)': { tags: `${BASE}; i=@other.example` },
  'i= that only looks like a subdomain': { tags: `${BASE}; i=@notauthor.example` },
  'i= of a subdomain where the key says t=s': {
    tags: `${BASE.replace('s=s1', 's=exact')}; i=@sub.author.example`,
  },
  'a tag twice (§3.2)': { tags: `${BASE}; d=author.example` },
  'a tag in capitals': { tags: BASE.replace('v=1', 'V=1') },
  'expired (§3.5)': { tags: `${BASE}; t=1000000000; x=1000000001` },
  'x= before t=': { tags: `${BASE}; t=${now()}; x=${now() - 5}` },
  'no v=': { tags: BASE.replace('v=1; ', '') },
  'another version': { tags: BASE.replace('v=1', 'v=2') },
  'From not signed (§5.4)': { tags: BASE.replace('h=from', 'h=subject') },
  'an empty h=': { tags: BASE.replace('h=from', 'h=') },
  'a key for another hash (§6.1.2)': { tags: BASE.replace('s=s1', 's=sha1') },
  'a key for another service': { tags: BASE.replace('s=s1', 's=web') },
  'a key that was revoked': { tags: BASE.replace('s=s1', 's=gone') },
  'a key with a tag twice': { tags: BASE.replace('s=s1', 's=twice') },
  'a body that is longer': { tags: BASE, after: 'more\r\n' },
  'l= past the end': { tags: `${BASE}; l=7` },
  'l= that is no number': { tags: `${BASE}; l=-1` },
  'another query method': { tags: `${BASE}; q=dns/other` },
}

for (const [name, signing] of Object.entries(REFUSED)) {
  test(`DKIM: refused is ${name}`, async () => {
    const verdict = await judged(signing)
    assert.ok(verdict)
    assert.notEqual(verdict.result, 'pass')
    assert.notEqual(verdict.result, 'temperror')
  })
}

test('DKIM: l= that leaves something out passes and says so', async () => {
  const verdict = await judged({ tags: `${BASE}; l=6`, after: 'more\r\n' })
  assert.deepEqual([verdict?.result, verdict?.coversBody], ['pass', false])
})
