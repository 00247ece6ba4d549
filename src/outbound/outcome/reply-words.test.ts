import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { causeEntry } from './cause-table.ts'
import { classifyReply, type Phase } from './classify.ts'
import { PROVIDER_REPLIES } from './provider-replies.ts'
import { REPLY_WORDS, WEAK_WORDS } from './reply-words.ts'

/** Replies as they are met, by what they mean. */
const REPLIES: Readonly<Record<string, readonly (readonly [Phase, number, string | undefined, string])[]>> = {
  'recipient-unknown': [
    [
      'rcpt',
      550,
      '5.1.1',
      '<x@example.com>: Recipient address rejected: User unknown in local recipient table',
    ],
    ['rcpt', 550, undefined, 'Unknown user'],
    ['rcpt', 550, undefined, 'No such user here'],
    ['rcpt', 550, undefined, 'sorry, no mailbox here by that name. (#5.1.1)'],
    ['rcpt', 550, undefined, 'No such mailbox'],
    ['rcpt', 550, undefined, 'Invalid recipient <x@example.com>'],
    ['rcpt', 550, undefined, '<x@example.com>: Invalid mailbox'],
    ['rcpt', 550, undefined, 'User x@example.com does not exist'],
    ['rcpt', 550, '5.1.1', 'Address unknown'],
    ['rcpt', 550, '5.1.1', 'Recipient not found. <http://x.com>'],
    ['rcpt', 550, undefined, 'This recipient address does not exist'],
    [
      'rcpt',
      550,
      '5.4.1',
      'Recipient address rejected: Access denied. AS(201806281) [AM6.eop-EUR02.prod.protection.outlook.com]',
    ],
    ['rcpt', 550, '5.5.0', 'Requested action not taken: mailbox unavailable (S2017062302).'],
    [
      'rcpt',
      550,
      undefined,
      "554 delivery error: dd This user doesn't have a yahoo.com account (x@yahoo.com) [-5] - mta1.mail.yahoo.com",
    ],
    [
      'content',
      554,
      undefined,
      "delivery error: dd This user doesn't have a yahoo.com account (x@yahoo.com) [0] - mta1.mail.gq1.yahoo.com",
    ],
    ['rcpt', 550, undefined, 'x is not a known user at this site'],
    ['rcpt', 553, undefined, 'sorry, this recipient is not in my validrcptto list (#5.7.1)'],
    ['rcpt', 550, '5.1.1', 'unknown or illegal alias: x@example.com'],
    ['rcpt', 550, undefined, 'Unrouteable address'],
    ['rcpt', 550, undefined, 'Unroutable address'],
    ['rcpt', 550, '5.7.1', 'Recipient not found in address directory'],
    ['rcpt', 550, '5.1.1', 'RESOLVER.ADR.RecipNotFound; not found'],
    ['rcpt', 550, undefined, '用户不存在'],
    [
      'rcpt',
      550,
      undefined,
      'Mailbox not found. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000728',
    ],
    ['rcpt', 550, '5.1.1', 'Not our Customer'],
    ['rcpt', 550, undefined, 'Recipient Rejected: No account by that name here'],
    ['rcpt', 554, '5.1.1', 'mailbox does not exist here'],
  ],
  'recipient-moved': [
    ['rcpt', 550, '5.1.6', 'Recipient no longer on server'],
    ['rcpt', 551, undefined, 'User has moved to new@example.org'],
  ],
  'recipient-disabled': [
    [
      'rcpt',
      550,
      '5.2.1',
      'The email account that you tried to reach is disabled. Learn more at https://support.google.com/mail/?p=DisabledUser abc - gsmtp',
    ],
    ['rcpt', 550, undefined, 'Account inactive'],
    ['rcpt', 550, undefined, 'This account has been suspended'],
    ['rcpt', 554, '5.7.1', '<x@example.com>: Recipient address rejected: Mailbox disabled'],
    ['rcpt', 550, undefined, 'User account is locked'],
    ['rcpt', 554, '5.2.1', 'mailbox temporarily disabled: x@example.com'],
    [
      'rcpt',
      550,
      undefined,
      'message was not accepted -- invalid mailbox. Local mailbox x@example.ua is unavailable: account is disabled',
    ],
    ['rcpt', 550, '5.2.1', '<x@example.com>: recipient mailbox is inactive'],
  ],
  'recipient-full': [
    ['rcpt', 552, '5.2.2', 'Mailbox full'],
    [
      'rcpt',
      452,
      '4.2.2',
      'The email account that you tried to reach is over quota. Please direct the recipient to https://support.google.com/mail/?p=OverQuotaTemp x - gsmtp',
    ],
    ['rcpt', 552, undefined, 'Requested mail action aborted: exceeded storage allocation'],
    ['content', 552, undefined, 'user quota exceeded'],
    [
      'content',
      554,
      '5.2.2',
      'mailbox full;STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded',
    ],
    ['rcpt', 422, undefined, "The recipient's mailbox is over its storage limit"],
    ['rcpt', 550, undefined, "x@example.com... Can't create output: Disk quota exceeded"],
    ['rcpt', 550, undefined, 'User mailbox exceeds allowed size: x@example.com'],
    ['rcpt', 452, undefined, "sorry, the recipient's mailbox is full (#4.2.2)"],
    ['rcpt', 550, undefined, "Quota exceeded. The recipient's mailbox is over its quota"],
    ['rcpt', 552, undefined, 'x@example.com mailbox has exceeded the limit'],
    ['content', 552, undefined, 'Account x@example.com has exceeded its disk space'],
    ['rcpt', 550, undefined, 'Mail quota exceeded'],
    ['rcpt', 550, undefined, 'Message would exceed quota for <x@example.com>'],
    ['rcpt', 550, '5.1.1', '<x@example.com>: mailbox over quota'],
    ['rcpt', 450, undefined, 'Mailbox space not enough or out of limit (space)'],
    ['rcpt', 550, '5.7.1', "The user's space has been used up. Mailbox full"],
    ['rcpt', 552, undefined, 'boite du destinataire pleine'],
    ['rcpt', 554, undefined, "Receiver's mailbox has exceeded max storage"],
    ['rcpt', 550, undefined, 'storage quota for this user is exhausted: over quota'],
  ],
  'recipient-rate-limited': [
    [
      'rcpt',
      450,
      '4.2.1',
      'The user you are trying to contact is receiving mail too quickly. Please resend your message at a later time. https://support.google.com/mail/?p=ReceivingRate x - gsmtp',
    ],
    [
      'rcpt',
      550,
      '5.2.122',
      'The recipient has exceeded their limit for the number of messages they can receive per hour.',
    ],
    ['rcpt', 432, '4.3.2', 'STOREDRV.Deliver; recipient thread limit exceeded'],
  ],
  'content-too-large': [
    ['content', 552, '5.3.4', 'Message size exceeds fixed maximum message size'],
    ['content', 552, undefined, 'Message too large'],
    ['mail', 552, undefined, 'Message size exceeds maximum value'],
    ['content', 554, '5.2.3', 'message too long; message length exceeds administrative limit'],
    ['content', 523, undefined, "the message size exceeds the recipient's size limit. See http://x"],
    [
      'mail',
      552,
      '5.7.0',
      "Your message exceeded Google's message size limits. Please visit https://support.google.com/mail/?p=MaxSizeError to view our size guidelines.",
    ],
  ],
  'content-spam': [
    ['content', 550, undefined, 'This message was classified as SPAM and may not be delivered'],
    ['content', 554, '5.7.1', 'Message rejected as spam by Content Filtering.'],
    ['content', 554, undefined, 'Message refused by Mailspect: rejected due to spam content'],
    ['content', 550, undefined, 'High probability of spam'],
    ['content', 554, '5.7.1', '[P4] Message blocked due to spam content in the message.'],
    ['content', 554, undefined, 'rejected due to spam URL in content'],
  ],
  'content-virus': [
    ['content', 554, undefined, 'Your message contains a virus: Eicar-Test-Signature'],
    ['content', 550, '5.7.1', 'Message infected by malware'],
    ['content', 550, '5.7.1', 'virus W32/x found'],
  ],
  'sender-authentication': [
    [
      'content',
      550,
      '5.7.26',
      'This mail has been blocked because the sender is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM.',
    ],
    [
      'rcpt',
      550,
      '5.7.23',
      'Message rejected due to: SPF fail - not authorized. Please see http://www.openspf.net/Why?',
    ],
    ['mail', 550, '5.7.1', 'SPF check failed. <a@b.com> does not designate 1.2.3.4 as permitted sender'],
    ['content', 550, '5.7.1', 'Email rejected per DMARC policy for example.com'],
    ['content', 554, '5.7.9', 'Message not accepted for policy reasons: DMARC failed'],
    ['content', 550, undefined, 'DKIM signature verification failed'],
  ],
  'sender-blocked': [
    [
      'connect',
      554,
      undefined,
      "Your access to this mail system has been rejected due to the sending MTA's poor reputation.",
    ],
    ['rcpt', 550, '5.7.1', 'Service unavailable; Client host [1.2.3.4] blocked using zen.spamhaus.org'],
    ['rcpt', 554, '5.7.1', 'Service unavailable; Client host [1.2.3.4] blocked by bl.spamcop.net'],
    [
      'mail',
      550,
      '5.7.1',
      "Unfortunately, messages from [1.2.3.4] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).",
    ],
    ['mail', 550, '5.7.606', 'Access denied, banned sending IP [1.2.3.4]'],
    ['connect', 554, undefined, 'Blocked - see https://ipcheck.proofpoint.com/?ip=1.2.3.4'],
    [
      'rcpt',
      553,
      '5.3.0',
      'flpd599 DNSBL:RBL 521< 1.2.3.4 >_is_blocked.For assistance forward this error to abuse_rbl@abuse-att.net',
    ],
    ['connect', 421, '4.7.1', '[TSS04] Messages from 1.2.3.4 temporarily deferred due to user complaints'],
    [
      'mail',
      421,
      '4.7.0',
      '[TS01] Messages from 1.2.3.4 temporarily deferred due to user complaints - 4.16.55.1; see https://help.yahoo.com',
    ],
    ['rcpt', 550, undefined, 'Your domain is blacklisted'],
    [
      'rcpt',
      554,
      undefined,
      'IP=1.2.3.4 - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.t-online.de to clarify.) (BL)',
    ],
    [
      'rcpt',
      550,
      undefined,
      '550 Mail content denied http://service.mail.qq.com: suspected; your ip has bad reputation',
    ],
    ['connect', 550, '5.7.1', 'Connection refused by policy: blocked country'],
  ],
  'sender-dns': [
    [
      'connect',
      550,
      '5.7.25',
      '[1.2.3.4] The IP address sending this message does not have a PTR record setup',
    ],
    ['rcpt', 450, '4.7.1', 'Client host rejected: cannot find your hostname, [1.2.3.4]'],
    ['rcpt', 450, '4.7.25', 'Client host rejected: cannot find your reverse hostname'],
    ['connect', 421, undefined, 'Refused. Your reverse DNS entry does not resolve.'],
    ['rcpt', 504, '5.5.2', '<localhost>: Helo command rejected: need fully-qualified hostname'],
    ['rcpt', 550, undefined, 'Access denied - Invalid HELO name (See RFC2821 4.1.1.1)'],
  ],
  'sender-rate-limited': [
    [
      'mail',
      421,
      '4.7.0',
      'Our system has detected an unusual rate of unsolicited mail originating from your IP address. mail has been temporarily rate limited. https://support.google.com/mail/?p=UnsolicitedRateLimitError',
    ],
    ['connect', 421, '4.7.0', 'Too many connections from your IP'],
    ['rcpt', 452, '4.5.3', 'Your message has too many recipients.'],
    ['connect', 421, undefined, 'too many concurrent SMTP connections'],
    ['rcpt', 451, '4.7.1', 'Sorry, you have sent too many messages; rate limit exceeded'],
    ['mail', 450, '4.7.1', 'Error: too much mail from 1.2.3.4'],
    [
      'connect',
      421,
      undefined,
      'Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down. OFR004_104 [104]',
    ],
    ['rcpt', 421, '4.7.28', 'Our system has detected an unusual rate of mail. '],
  ],
  'sender-refused': [
    ['mail', 550, '5.1.8', '<a@b.invalid>: Sender address rejected: Domain not found'],
    ['rcpt', 550, undefined, 'Sender verify failed'],
    ['rcpt', 553, '5.1.8', 'Domain of sender address does not exist'],
    ['mail', 550, undefined, 'You are not allowed to send mail from this domain'],
    [
      'rcpt',
      550,
      '5.7.133',
      'RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery restriction check failed because the sender was not authenticated',
    ],
    ['content', 550, undefined, 'You are not a member of the list'],
    ['rcpt', 550, '5.7.124', 'Sender not in allowed-senders list'],
  ],
  'relay-denied': [
    ['rcpt', 550, '5.7.1', 'Unable to relay'],
    ['rcpt', 554, '5.7.1', '<x@example.com>: Relay access denied'],
    ['rcpt', 550, undefined, 'relay not permitted'],
    ['rcpt', 553, undefined, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"],
    ['mail', 530, '5.7.0', 'Authentication Required'],
    ['rcpt', 550, '5.7.64', 'TenantAttribution; Relay Access Denied'],
  ],
  tls: [['mail', 530, '5.7.0', 'Must issue a STARTTLS command first']],
  greylisted: [
    [
      'rcpt',
      451,
      '4.7.1',
      '<x@example.com>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch',
    ],
    [
      'rcpt',
      450,
      '4.2.0',
      '<x@example.com>: Recipient address rejected: Greylisting in action, please come back later',
    ],
    ['rcpt', 451, '4.7.1', 'Please try again later'],
  ],
  'content-malformed': [
    ['content', 550, '5.6.0', 'Messages without a From header are not accepted'],
    ['content', 554, '5.6.11', 'SMTPSEND.BareLinefeedsAreIllegal; message contains bare linefeeds'],
    ['content', 550, '5.7.1', 'Messages missing a valid messageId header are not accepted (RFC 5322)'],
  ],
  policy: [
    [
      'content',
      552,
      '5.7.0',
      'This message was blocked because its content presents a potential security issue. https://support.google.com/mail/?p=BlockedMessage',
    ],
    ['rcpt', 550, undefined, 'Administrative prohibition'],
    ['rcpt', 550, undefined, 'Rejected'],
    ['rcpt', 554, '5.7.1', 'Message violates policy'],
    ['rcpt', 550, '5.7.1', 'Delivery not authorized, message refused'],
    [
      'content',
      550,
      '5.7.1',
      'TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy',
    ],
    ['rcpt', 550, '5.7.0', 'Local Policy Violation'],
  ],
  'recipient-domain-unknown': [
    ['rcpt', 550, '5.1.2', 'Host unknown (Name server: example.invalid: host not found)'],
    ['rcpt', 550, undefined, 'Domain not found'],
  ],
  'recipient-domain-closed': [
    ['rcpt', 550, '5.1.10', 'Domain example.com does not accept mail (nullMX)'],
    ['rcpt', 556, undefined, 'Host does not accept mail'],
  ],
  system: [
    ['rcpt', 451, undefined, 'Internal server error'],
    ['content', 452, '4.3.1', 'Insufficient system storage'],
    ['content', 451, '4.3.0', 'Error: queue file write error'],
    ['connect', 421, '4.3.2', 'Service not available, closing transmission channel'],
    ['rcpt', 451, '4.3.2', 'Please retry later, system not accepting network messages'],
  ],
  loop: [
    ['content', 554, '5.4.6', 'Hop count exceeded - possible mail loop'],
    ['rcpt', 554, '5.4.14', 'Hop count exceeded - possible mail loop ATTR34'],
  ],
  'recipient-refused': [
    ['rcpt', 550, undefined, 'Requested action not taken: mailbox unavailable'],
    ['rcpt', 550, '5.7.1', 'Mail from a@b.com rejected by recipient: blocked by user'],
    ['rcpt', 550, undefined, 'Recipient refused your mail'],
  ],
  other: [['content', 554, undefined, 'Transaction failed']],
}

for (const [cause, replies] of Object.entries(REPLIES)) {
  test(`${replies.length} replies are about ${cause}`, () => {
    for (const [phase, code, enhanced, text] of replies) {
      assert.equal(
        classifyReply(phase, code, enhanced, text).cause,
        cause,
        `${code} ${enhanced ?? ''} ${text}`,
      )
    }
  })
}

test('no name of a mailbox, of a host or of a link decides anything', () => {
  for (const text of [
    'ok <user-unknown@spam.example>',
    'see http://policy.example/user-unknown/mailbox-full',
    'mx.mailbox-full.example says so',
  ]) {
    assert.equal(classifyReply('rcpt', 550, undefined, text).cause, 'other', text)
  }
})

test('promise 7: whatever else a reply says, words about the sender keep it from suppressing', () => {
  const ours = fc.constantFrom(
    'Your IP is on our block list',
    'rejected as spam',
    'SPF check failed',
    'Too many connections',
    'sender address rejected',
    'no PTR record for client',
    'bad reputation',
  )
  const theirs = fc.constantFrom(
    '',
    ' for this user',
    ' mailbox',
    ' recipient',
    ' by the mail account policy',
  )
  const code = fc.constantFrom(550, 553, 554)
  const phase = fc.constantFrom<Phase>('connect', 'mail', 'rcpt', 'data', 'content')
  fc.assert(
    fc.property(ours, theirs, code, phase, (ours, theirs, code, phase) => {
      const verdict = classifyReply(phase, code, undefined, ours + theirs)
      assert.equal(verdict.class, 'sender', ours + theirs)
      assert.equal(verdict.suppression, undefined)
    }),
  )
})

test('a hostile reply costs no more than a few milliseconds of patterns', () => {
  const piece = fc.constantFrom(
    'user ',
    'mailbox ',
    'host not ',
    'sender',
    'a@',
    'a.',
    '550 ',
    '<',
    'exceeds ',
    'é',
  )
  const long = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join('').repeat(2_000))
  fc.assert(
    fc.property(long, (text) => {
      classifyReply('rcpt', 550, undefined, text)
    }),
    { numRuns: 30 },
  )
})

test('no pattern keeps state between calls, and every cause of the tables is known', () => {
  for (const { words, cause } of [...REPLY_WORDS, ...WEAK_WORDS]) {
    assert.equal(words.flags, '')
    assert.ok(causeEntry(cause))
  }
  for (const { reply } of PROVIDER_REPLIES) assert.ok(!reply.global && !reply.sticky)
})
