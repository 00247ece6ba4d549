import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { composeMessage } from '#outbound/compose/compose-message.ts'
import { type ForwardFacts, sealForward } from '#outbound/compose/seal-forward.ts'
import { signMessage } from '#outbound/compose/sign-message.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import type { ArcChain } from '#protocol/arc-seal.ts'
import { hashBody } from '#protocol/dkim-body-hash.ts'
import { parseHeaderBlock } from '#protocol/header-block.ts'
import { PLATFORM, variedDrafts } from '#test/varied-drafts.ts'

const PYTHON = '/usr/bin/python3'
const absent = spawnSync(PYTHON, ['-c', 'import dkim']).status !== 0

const ODD = [
  'From:jane@example.com\r\nSubject:\r\n folded \t\r\n  here  \r\n\r\n  leading\r\n\t\r\ntrailing  \t \r\n\r\n\r\n',
  'From: jane@example.com\r\nSubject: no body\r\n\r\n',
  `From: jane@example.com\r\n${'Comments: x\r\nTo: a@example.net\r\n'.repeat(40)}X-A: 2\r\n\r\n.\r\n..\r\n`,
  'From: J\xc3\xa4ne <jane@example.com>\r\nSubject: caf\xe9\r\n\r\n\xff\xfe \r\n',
  `From: jane@example.com\r\nReferences: ${'<a.b@example.com>\r\n '.repeat(60)}<c@d.example>\r\n\r\n${' x'.repeat(400)}\r\n`,
  'fRoM: jane@example.com\r\nSUBJECT: \t x \t\r\nDate:\r\nAuthentication-Results: a.example; none\r\nReceived: x\r\n\r\nx\r\n',
]

const { privateKey: key, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const AT = new Date()

function address(text: string) {
  const parsed = parseAddress(text)
  assert.ok(isAddress(parsed))
  return parsed
}

async function forward(message: Buffer, arc: ArcChain): Promise<Buffer> {
  const block = parseHeaderBlock(message, { fields: 2000, bytes: 1_000_000 })
  assert.ok(!('fault' in block))
  const facts: ForwardFacts = {
    received: 'from a.example by route1.mx.posthorn.test with ESMTP id 1; Fri, 20 Nov 2026 21:36:00 +0000',
    recipient: address('info@yourdomain.com'),
    destination: address('jane@destination.example'),
    loopMark: 'a mark',
    authenticationResults:
      'mx.posthorn.test;\r\n spf=pass smtp.mailfrom=example.com;\r\n dkim=pass header.d=example.com',
    arc,
    identities: [
      { domain: 'email.posthorn.test', selector: 'cf2024-1', key },
      { domain: 'yourdomain.com', selector: 'cf2024-1', key },
    ],
    at: AT,
  }
  const original = {
    header: message.subarray(0, block.bodyStart),
    bodyHash: hashBody(message.subarray(block.bodyStart)),
  }
  return Buffer.concat([await sealForward(original, facts), message])
}

interface Verified {
  readonly held: readonly string[]
  readonly broken: readonly string[]
  readonly arc: string
  readonly sets: number
  readonly reason: string
}

function verify(folder: string, messages: Readonly<Record<string, Buffer>>): Record<string, Verified> {
  const files = join(folder, 'messages')
  mkdirSync(files)
  for (const [name, message] of Object.entries(messages)) writeFileSync(join(files, name), message)
  const record = `v=DKIM1; k=rsa; p=${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`
  writeFileSync(join(folder, 'record'), record)
  const script = join(import.meta.dirname, 'support/verify-forwards.py')
  const printed = execFileSync(PYTHON, [script, files, join(folder, 'record')], {
    encoding: 'utf8',
    // It says there why the one that was tampered with fails.
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  return JSON.parse(printed) as Record<string, Verified>
}

test('dkimpy verifies the original’s signature, both of ours, and the ARC chain of what we forward', {
  skip: absent ? `${PYTHON} has no module dkim (Debian: python3-dkim)` : false,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-forward-'))
  try {
    const author = { domain: 'example.com', selector: 'author', key }
    const drafts = await Promise.all(variedDrafts(80).map((draft) => composeMessage(draft, PLATFORM)))
    const originals = [...drafts, ...ODD.map((odd) => Buffer.from(odd, 'latin1'))]
    const messages: Record<string, Buffer> = {}
    for (const [i, original] of originals.entries()) {
      const once = await forward(await signMessage(original, author, AT), {
        result: 'none',
        instances: 0,
        closed: false,
      })
      messages[`${i}.eml`] = once
      if (i % 10 === 0)
        messages[`${i}-twice.eml`] = await forward(once, { result: 'pass', instances: 1, closed: false })
    }
    // A verifier that passes everything would prove nothing.
    messages['tampered.eml'] = Buffer.concat([
      messages['0.eml'] ?? Buffer.alloc(0),
      Buffer.from('one more line\r\n'),
    ])
    const ours = ['email.posthorn.test', 'yourdomain.com']
    for (const [name, verified] of Object.entries(verify(folder, messages))) {
      const twice = name.includes('twice')
      const wanted =
        name === 'tampered.eml'
          ? { held: [], arc: 'fail', sets: 1 }
          : { held: [...(twice ? ours : []), ...ours, 'example.com'], arc: 'pass', sets: twice ? 2 : 1 }
      const { held, arc, sets } = verified
      assert.deepEqual({ held, arc, sets }, wanted, `${name}: ${JSON.stringify(verified)}`)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})
