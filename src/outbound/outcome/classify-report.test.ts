import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readReturnedMail } from '#protocol/bounce-report.ts'
import type { ReportedRecipient } from '#protocol/reported-recipient.ts'
import { classifyReport, type Verdict } from './classify.ts'

const failed = (more: Omit<ReportedRecipient, 'action'>): ReportedRecipient => ({ action: 'failed', ...more })
const DAY_MS = 86_400_000

const cases: [string, ReportedRecipient, string, boolean, string | undefined, number | null | undefined][] = [
  [
    'a refusal at RCPT proves that nobody lives there',
    failed({ status: '5.1.1', replyCode: 550, phase: 'rcpt', diagnostic: '550 5.1.1 User unknown' }),
    'recipient-unknown',
    true,
    'hard_bounce',
    null,
  ],
  [
    'so does a host that speaks of its own mailboxes',
    failed({ diagnostic: 'User kitten (kitten@example.com) not listed in Domino Directory' }),
    'recipient-unknown',
    true,
    'hard_bounce',
    null,
  ],
  [
    'words behind a relay that does not say where it heard them are good for a week',
    failed({ replyCode: 550, diagnostic: '550 No such user here' }),
    'recipient-unknown',
    false,
    'hard_bounce',
    7 * DAY_MS,
  ],
  [
    'the same words after the content may be a filter',
    failed({ replyCode: 550, phase: 'content', diagnostic: '550 User unknown' }),
    'other',
    false,
    undefined,
    undefined,
  ],
  [
    'a full mailbox is soft whatever the code says',
    failed({ status: '5.1.1', replyCode: 550, diagnostic: '550 5.1.1 mailbox full' }),
    'recipient-full',
    false,
    'soft_bounce',
    DAY_MS,
  ],
  [
    'and where one sentence says unknown and another full, it is full',
    failed({ status: '5.1.1', replyCode: 550, diagnostic: '550 User unknown', notice: 'Mailbox is full' }),
    'recipient-full',
    false,
    'soft_bounce',
    DAY_MS,
  ],
  [
    'a temporary reply repeated until the host gave up is no evidence',
    failed({ status: '4.1.1', replyCode: 450, diagnostic: '450 4.1.1 unverified address: user unknown' }),
    'recipient-unknown',
    false,
    undefined,
    undefined,
  ],
  ['an expired retry suppresses nobody', failed({ status: '4.4.7' }), 'expired', false, undefined, undefined],
  [
    "the last server's words count, not those of the host that quotes them",
    failed({
      replyCode: 550,
      status: '5.7.1',
      diagnostic:
        'It was rejected by the recipient domain. The other server returned: 550 5.7.1 Access denied',
    }),
    'policy',
    false,
    undefined,
    undefined,
  ],
]

for (const [name, recipient, cause, hard, reason, forMs] of cases) {
  test(name, () => {
    const verdict = classifyReport(recipient)
    assert.deepEqual(
      [verdict.cause, verdict.hard, verdict.suppression?.reason, verdict.suppression?.forMs],
      [cause, hard, reason, forMs],
    )
  })
}

const SUITES = join(import.meta.dirname, '../../../../shared/suites')

interface Expected {
  readonly reason: string
  readonly hard: boolean
  readonly feedback?: string
}

interface Tally {
  mails: number
  recognised: number
  recipients: number
  hardOrSoft: number
}

const empty = (): Tally => ({ mails: 0, recognised: 0, recipients: 0, hardOrSoft: 0 })
const percent = (part: number, of: number) => `${((100 * part) / of).toFixed(1)} %`

/** Reasons of the suite for which no suppression at all would be right, in its words. */
const NEVER: ReadonlySet<string> = new Set([
  ...['expired', 'blocked', 'badreputation', 'requireptr', 'authfailure', 'spamdetected', 'virusdetected'],
  ...['toomanyconn', 'networkerror', 'systemerror', 'systemfull', 'norelaying', 'mesgtoobig', 'contenterror'],
  ...['policyviolation', 'securityerror', 'notcompliantrfc', 'rejected'],
])

test('the bounce corpus of the suites', { skip: existsSync(SUITES) ? false : `${SUITES} is absent` }, (t) => {
  const expected = JSON.parse(readFileSync(join(SUITES, 'bounces/expected.json'), 'utf8')) as Record<
    string,
    Expected[]
  >
  const all = empty()
  const withStatus = empty()
  const wrong: string[] = []
  for (const [file, recipients] of Object.entries(expected)) {
    const raw = readFileSync(join(SUITES, file.startsWith('arf') ? 'arf' : 'bounces', file))
    const mail = readReturnedMail(raw)
    const hasStatus = /^content-type:\s*message\/(?:global-)?delivery-status/im.test(raw.toString('latin1'))
    for (const tally of hasStatus ? [all, withStatus] : [all]) {
      tally.mails++
      if (isRecognised(mail, recipients)) tally.recognised++
    }
    if (mail.kind === 'complaint') {
      assert.ok(
        mail.reports.some((report) => report.feedbackType === recipients[0]?.feedback),
        file,
      )
      continue
    }
    for (const [index, { reason, hard }] of recipients.entries()) {
      if (reason === 'vacation' || reason === 'feedback') continue
      const reported = 'recipients' in mail ? mail.recipients[index] : undefined
      const verdict = reported && classifyReport(reported)
      all.recipients++
      if (verdict?.hard === hard) all.hardOrSoft++
      if (verdict && suppressesWrongly(reason, verdict)) wrong.push(`${file}: ${reason}, ${verdict.cause}`)
    }
  }
  t.diagnostic(`recognised ${percent(all.recognised, all.mails)} of ${all.mails}`)
  t.diagnostic(
    `with a delivery-status part ${percent(withStatus.recognised, withStatus.mails)} of ${withStatus.mails}`,
  )
  t.diagnostic(`hard or soft right ${percent(all.hardOrSoft, all.recipients)} of ${all.recipients}`)
  assert.deepEqual(wrong, [])
  assert.ok(withStatus.recognised >= 0.98 * withStatus.mails)
  assert.ok(all.recognised >= 0.95 * all.mails)
  assert.ok(all.hardOrSoft >= 0.93 * all.recipients)
})

function isRecognised(mail: ReturnType<typeof readReturnedMail>, expected: readonly Expected[]): boolean {
  const reason = expected[0]?.reason
  switch (mail.kind) {
    case 'complaint':
      return (
        reason === 'feedback' &&
        mail.reports.some(({ feedbackType }) => feedbackType === expected[0]?.feedback)
      )
    case 'auto-reply':
      return reason === 'vacation'
    case 'bounce':
    case 'delay':
      return mail.recipients.length >= expected.length && mail.recipients.every(({ recipient }) => recipient)
    default:
      return false
  }
}

function suppressesWrongly(reason: string, { suppression }: Verdict): boolean {
  if (!suppression) return false
  if (NEVER.has(reason)) return true
  return (reason === 'mailboxfull' || reason === 'speeding') && suppression.reason === 'hard_bounce'
}
