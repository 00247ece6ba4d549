import assert from 'node:assert/strict'
import { test } from 'node:test'
import PostalMime from 'postal-mime'
import type { Address } from '#model/address.ts'
import { composeVerification } from './compose-verification.ts'

const LINK = `https://mail.posthorn.test/verify-address/${'A'.repeat(56)}`

function compose(to = 'me@dest.example'): Buffer {
  return composeVerification({
    from: 'verify@email.posthorn.test' as Address,
    to: to as Address,
    messageId: '<1@email.posthorn.test>',
    host: 'posthorn.test',
    link: LINK,
    at: Date.UTC(2026, 10, 20, 12),
    hours: 24,
    boundary: '--=_0123456789abcdef',
  })
}

test('both parts have the link, the address and how long it works', async () => {
  const email = await PostalMime.parse(compose())
  assert.equal(email.subject, 'Verify your email address')
  assert.deepEqual(email.from, { address: 'verify@email.posthorn.test', name: 'Email Routing' })
  assert.equal(email.to?.[0]?.address, 'me@dest.example')
  assert.equal(email.headers.find(({ key }) => key === 'auto-submitted')?.value, 'auto-generated')
  for (const part of [email.text ?? '', email.html ?? '']) {
    assert.ok(part.includes(LINK))
    assert.ok(part.includes('me@dest.example'))
    assert.ok(part.includes('24 hours'))
  }
  assert.match(email.html ?? '', new RegExp(`<a href="${LINK}">Verify email address</a>`))
  // Nothing is loaded by whoever shows it.
  assert.doesNotMatch(email.html ?? '', /src=|<img|<link|<script|url\(/i)
})

test('CRLF alone ends lines, none is too long, and no address gets out of its place', async () => {
  for (const to of [
    `"<b onclick='x()'>&amp;"@dest.example`,
    '用户@dest.example',
    `${'x'.repeat(64)}@dest.example`,
  ]) {
    const content = compose(to)
    const text = content.toString('latin1')
    assert.ok(!/[^\r]\n|\r(?!\n)|\0/.test(text))
    for (const line of text.split('\r\n')) assert.ok(line.length <= 998)
    const email = await PostalMime.parse(content)
    assert.equal(email.attachments.length, 0)
    assert.doesNotMatch(email.html ?? '', /<b onclick|&amp;"/)
    assert.ok(email.text?.includes(to))
  }
})
