import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { composeMessage } from '#outbound/compose/compose-message.ts'
import { composeRaw, readRawMessage } from '#outbound/compose/compose-raw.ts'
import { signMessage } from '#outbound/compose/sign-message.ts'
import { PLATFORM, variedDrafts } from '#test/varied-drafts.ts'

const PYTHON = '/usr/bin/python3'
const absent = spawnSync(PYTHON, ['-c', 'import dkim']).status !== 0

const RAW = [
  `From: jane@example.com\r\nContent-Type: text/html\r\n\r\n<p>${'x'.repeat(5000)} \r\n`,
  'From: jane@example.com\n\nbare line feeds\n\n.\n..\n',
  'From: Jäne <jane@example.com>\r\nSubject: 8-bit sübject\r\nTo: Jöe <joe@example.net>\r\n\r\n8-bit bödy \xff\xfe\r\n',
  'From: Jäne <jäne@example.com>\r\nTo: 用户@例え.テスト, "jö e"@example.net\r\nSubject: international addresses\r\n\r\nx\r\n',
  'From:jane@example.com\r\nSubject:\r\n folded \t\r\n  here  \r\n\r\n  leading\r\n\t\r\ntrailing  \t \r\n\r\n\r\n',
  'From: jane@example.com\r\nSubject: no body\r\n\r\n',
  'From: jane@example.com\r\nSubject: no blank line',
  'From: jane@example.com\r\nComments: one\r\nComments: two\r\nKeywords: a\r\nX-A: 1\r\nX-A: 2\r\n\r\nrepeated fields\r\n',
  'From: jane@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nbinary \x01\x80\r\n--b--',
  `From: jane@example.com\r\nReferences: ${'<a.b@example.com>\r\n '.repeat(60)}<c@d.example>\r\n\r\n${' x'.repeat(600)}\r\n`,
]

test('dkimpy verifies what we sign, over more than 200 varied messages', {
  skip: absent ? `${PYTHON} has no module dkim (Debian: python3-dkim)` : false,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'posthorn-dkimpy-'))
  try {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const identity = { domain: 'example.com', selector: 'cf-bounce', key: privateKey }
    const contents = await Promise.all(variedDrafts(300).map((draft) => composeMessage(draft, PLATFORM)))
    for (const raw of RAW) {
      const message = readRawMessage(Buffer.from(raw, raw.includes('ä') ? 'utf8' : 'latin1'))
      assert.ok(!('kind' in message), 'kind' in message ? message.detail : '')
      contents.push(composeRaw(message, PLATFORM))
    }
    const messages = join(folder, 'messages')
    mkdirSync(messages)
    for (const [i, content] of contents.entries()) {
      writeFileSync(join(messages, `${i}.eml`), await signMessage(content, identity, new Date()))
    }
    // A verifier that passes everything would prove nothing.
    const [first = Buffer.alloc(0)] = contents
    const signed = await signMessage(first, identity, new Date())
    writeFileSync(join(messages, 'tampered.eml'), Buffer.concat([signed, Buffer.from('one more line\r\n')]))
    const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
    writeFileSync(join(folder, 'record'), `v=DKIM1; k=rsa; p=${key}`)

    const script = join(import.meta.dirname, 'support/verify-dkim.py')
    const printed = execFileSync(PYTHON, [script, messages, join(folder, 'record')], { encoding: 'utf8' })
    const { verified, failed } = JSON.parse(printed) as { verified: number; failed: Record<string, string> }
    assert.deepEqual(Object.keys(failed), ['tampered.eml'], printed)
    assert.equal(verified, contents.length)
    assert.ok(verified > 200)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
