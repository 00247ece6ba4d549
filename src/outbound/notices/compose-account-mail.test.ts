import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Address } from '#model/address.ts'
import { composeInvitation } from './compose-invitation.ts'
import { composePasswordReset } from './compose-password-reset.ts'

const mail = {
  from: 'accounts@email.posthorn.test' as Address,
  to: 'ann@example.com' as Address,
  messageId: '<1@email.posthorn.test>',
  host: 'posthorn.test',
  at: 1_800_000_000_000,
}

test('mail about a sign-in is its fields, a blank line and its words, with the link whole', () => {
  const token = 'x'.repeat(43)
  const link = `https://a-rather-long-name-of-a-host.mail.example.com/reset-password#${token}`
  for (const [source, subject] of [
    [composePasswordReset({ ...mail, link, minutes: 60 }), 'Reset your password'],
    [composeInvitation({ ...mail, link, days: 7 }), 'You are invited to an account'],
  ] as const) {
    const [header = '', ...body] = source.toString().split('\r\n\r\n')
    const names = header.split('\r\n').map((line) => line.split(':', 1)[0])
    assert.deepEqual(names, [
      ...['From', 'To', 'Subject', 'Date', 'Message-ID', 'Auto-Submitted', 'MIME-Version'],
      ...['Content-Type', 'Content-Transfer-Encoding'],
    ])
    assert.ok(header.includes(`\r\nSubject: ${subject}\r\n`))
    assert.match(body[0] ?? '', /^Somebody/)
    assert.ok(body.includes(`  ${link}`))
  }
})
