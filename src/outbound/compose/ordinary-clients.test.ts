import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseHeaderBlock } from '#protocol/header-block.ts'
import { PLATFORM } from '#test/varied-drafts.ts'
import { composeRaw, readRawMessage } from './compose-raw.ts'

/** A message as a mail client writes it. Of its headers, their names in order: `stays` goes out, `removed` is taken out
 *  and named, and all others are replaced by ours. */
interface Sample {
  readonly client: string
  readonly raw: string
  readonly stays: string
  readonly removed: string
  readonly subject: string
  /** What the header holds in the end, beyond names. */
  readonly has?: readonly string[]
  /** The body where it does not go out as it came. */
  readonly body?: string
}

const SAMPLES: readonly Sample[] = [
  {
    client: 'Thunderbird: reply with Autocrypt and format=flowed',
    raw: `Message-ID: <d1b2c3a4-6f0e-4a0e-9c57-7d3f7b1f2a10@example.com>
Date: Fri, 1 Aug 2025 10:12:13 +0200
MIME-Version: 1.0
User-Agent: Mozilla Thunderbird
Subject: Re: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=
To: Joe Doe <joe@example.net>, "Ann (Sales)" <ann@example.net>
Cc: undisclosed-recipients:;
References: <CAF1@mail.example.net>
 <1754035933.1@example.net>
Content-Language: en-US, de-DE
From: =?UTF-8?Q?J=C3=A4ne?= <jane@example.com>
Autocrypt: addr=jane@example.com; keydata=
 xsDNBGXk0qkBDADNsVvKZ1w0Q0mXc1lN9m7cFf2bYp5cTq0V
Organization: Example Ltd.
In-Reply-To: <1754035933.1@example.net>
X-Mozilla-Draft-Info: internal/draft; vcard=0; receipt=0
Content-Type: text/plain; charset=UTF-8; format=flowed
Content-Transfer-Encoding: 8bit

Am 31.07.25 um 9:00 schrieb Joe:\x20
> Grüße

-- \x20
Jäne
`,
    stays:
      'Subject To Cc References Content-Language From Organization In-Reply-To X-Mozilla-Draft-Info Content-Type Content-Transfer-Encoding',
    removed: 'User-Agent Autocrypt',
    subject: 'Re: Grüße',
    has: ['From: =?UTF-8?Q?J=C3=A4ne?= <jane@example.com>\r\n', 'Cc: undisclosed-recipients:;\r\n'],
  },
  {
    client: 'Outlook: high importance, read receipt, empty X- headers',
    raw: `From: "Doe, Jane" <jane@example.com>
To: "'joe@example.net'" <joe@example.net>
Subject: FW: Quarterly report
Date: Fri, 1 Aug 2025 10:12:13 +0200
Message-ID: <000001dc02b5$1f9b4a30$5ed1de90$@example.com>
MIME-Version: 1.0
Content-Type: multipart/mixed;
\tboundary="----=_NextPart_000_0001_01DC02C5.E324A2E0"
X-Priority: 1 (Highest)
X-MSMail-Priority: High
X-Mailer: Microsoft Outlook 16.0
Importance: High
Sensitivity: Company-Confidential
Thread-Index: AdwCtRwwYqvS6k0tQ1uI0a3yQyJ3xg==
Thread-Topic: Quarterly report
Disposition-Notification-To: "Doe, Jane" <jane@example.com>
Content-Language: en-us
Accept-Language: en-US
Content-class: urn:content-classes:message
X-MS-Has-Attach: yes
X-MS-TNEF-Correlator:

This is a multipart message in MIME format.

------=_NextPart_000_0001_01DC02C5.E324A2E0
Content-Type: text/plain;
\tcharset="us-ascii"
Content-Transfer-Encoding: 7bit

Please see the report.

------=_NextPart_000_0001_01DC02C5.E324A2E0
Content-Type: application/pdf;
\tname="report.pdf"
Content-Transfer-Encoding: base64
Content-Disposition: attachment;
\tfilename="report.pdf"

JVBERi0xLjcK

------=_NextPart_000_0001_01DC02C5.E324A2E0--

`,
    stays:
      'From To Subject Content-Type X-Priority X-MSMail-Priority X-Mailer Importance Sensitivity Content-Language Content-class X-MS-Has-Attach',
    removed: 'Thread-Index Thread-Topic Disposition-Notification-To Accept-Language X-MS-TNEF-Correlator',
    subject: 'FW: Quarterly report',
    has: ['From: "Doe, Jane" <jane@example.com>\r\n', 'X-Priority: 1 (Highest)\r\n'],
  },
  {
    client: 'Apple Mail: MIME-Version with a comment, nested multiparts, no Subject text',
    raw: `From: Jane Doe <jane@example.com>
Content-Type: multipart/alternative;
\tboundary="Apple-Mail=_0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9"
Mime-Version: 1.0 (Mac OS X Mail 16.0 \\(3774.600.62\\))
Subject:\x20
X-Universally-Unique-Identifier: 6E1F0B4C-6A0E-4E0B-8E1B-1B2C3D4E5F60
X-Apple-Base-Url: x-msg://1/
Message-Id: <2C3D4E5F-6071-8293-A4B5-C6D7E8F90A1B@example.com>
Date: Fri, 1 Aug 2025 10:12:13 +0200
To: joe@example.net
X-Mailer: Apple Mail (2.3774.600.62)


--Apple-Mail=_0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9
Content-Transfer-Encoding: quoted-printable
Content-Type: text/plain;
\tcharset=utf-8

Hello =F0=9F=91=8B=
--Apple-Mail=_0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9
Content-Type: multipart/related;
\ttype="text/html";
\tboundary="Apple-Mail=_1"

--Apple-Mail=_1
Content-Type: text/html;
\tcharset=utf-8

<p>Hello</p>
--Apple-Mail=_1--

--Apple-Mail=_0A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9--
`,
    stays: 'From Content-Type Subject X-Universally-Unique-Identifier X-Apple-Base-Url To X-Mailer',
    removed: '',
    subject: '',
  },
  {
    client: 'Gmail, sending as another address: signatures and traces of its own',
    raw: `Return-Path: <jane@gmail.example>
Received: from [10.0.0.1] by smtp.gmail.example with ESMTPSA id a1 for <joe@example.net>;
        Fri, 01 Aug 2025 01:12:13 -0700 (PDT)
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=gmail.example; s=1; h=from:to; bh=x; b=y
X-Google-DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=1e100.example; s=1; bh=x; b=y
X-Gm-Message-State: AOJu0YyXk0
        Yk5o8x
X-Received: by 2002:a05:6402:1 with SMTP id a1; Fri, 01 Aug 2025 01:12:12 -0700 (PDT)
X-Received: by 2002:a05:6402:2 with SMTP id b1; Fri, 01 Aug 2025 01:12:13 -0700 (PDT)
ARC-Seal: i=1; a=rsa-sha256; t=1; cv=none; d=gmail.example; s=1; b=x
MIME-Version: 1.0
Sender: jane@gmail.example
From: Jane Doe <jane@example.com>
Date: Fri, 1 Aug 2025 10:12:13 +0200
Message-ID: <CAF1x+Zk_y=abc@mail.gmail.example>
Subject: Lunch?
To: Joe <joe@example.net>
Content-Type: text/plain; charset="UTF-8"

At noon.
`,
    stays: 'X-Google-DKIM-Signature X-Gm-Message-State X-Received X-Received From Subject To Content-Type',
    removed: 'Sender',
    subject: 'Lunch?',
  },
  {
    client: 'mutt: reply to a list, inline PGP attachment',
    raw: `Date: Fri, 1 Aug 2025 10:12:13 +0200
From: Jane Doe <jane@example.com>
To: list@example.net
Cc: Joe <joe@example.net>
Subject: Re: [list] =?iso-8859-1?Q?caf=E9?=
Message-ID: <20250801081213.GA1234@host.example.com>
Mail-Followup-To: list@example.net, Joe <joe@example.net>
References: <20250730.1@example.net>
MIME-Version: 1.0
Content-Type: multipart/signed; micalg=pgp-sha512;
\tprotocol="application/pgp-signature"; boundary="wac7ysb48OaltWcw"
Content-Disposition: inline
In-Reply-To: <20250730.1@example.net>
X-Operating-System: Linux
User-Agent: Mutt/2.2.12 (2023-09-09)
Status: RO
Content-Length: 205
Lines: 18


--wac7ysb48OaltWcw
Content-Type: text/plain; charset=us-ascii

Signed.  \n
--wac7ysb48OaltWcw
Content-Type: application/pgp-signature; name=signature.asc

-----BEGIN PGP SIGNATURE-----
-----END PGP SIGNATURE-----

--wac7ysb48OaltWcw--
`,
    stays: 'From To Cc Subject References Content-Type Content-Disposition In-Reply-To X-Operating-System',
    removed: 'Mail-Followup-To User-Agent Status Content-Length Lines',
    subject: 'Re: [list] café',
  },
  {
    client: 'PHPMailer: blind copies alone, one-click unsubscription',
    raw: `Date: Fri, 1 Aug 2025 08:12:13 +0000
To: undisclosed-recipients:;
From: Shop <shop@example.com>
Reply-To: Help <help@example.com>
Subject: =?utf-8?B?U29tbWVyc2NobHVzc3ZlcmthdWY6IGFsbGVzIG11c3MgcmF1cywgw7xiZXI=?=
 =?utf-8?B?YWxs?=
Message-ID: <kX1yZ2aB3cD4eF5gH6iJ7kL8mN9oP0@www.example.com>
X-Mailer: PHPMailer 6.9.1 (https://github.com/PHPMailer/PHPMailer)
Return-Path: shop@example.com
List-Unsubscribe: <mailto:unsubscribe@example.com?subject=bye>,
 <https://example.com/unsubscribe?id=1>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Precedence: bulk
MIME-Version: 1.0
Content-Type: multipart/alternative;
 boundary="b1=_kX1yZ2aB3cD4eF5gH6iJ7kL8mN9oP0"
Content-Transfer-Encoding: 8bit

--b1=_kX1yZ2aB3cD4eF5gH6iJ7kL8mN9oP0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Alles muss raus, überall


--b1=_kX1yZ2aB3cD4eF5gH6iJ7kL8mN9oP0
Content-Type: text/html; charset=utf-8

<p>Alles muss raus</p>


--b1=_kX1yZ2aB3cD4eF5gH6iJ7kL8mN9oP0--
`,
    stays:
      'To From Reply-To Subject X-Mailer List-Unsubscribe List-Unsubscribe-Post Precedence Content-Type Content-Transfer-Encoding',
    removed: '',
    subject: 'Sommerschlussverkauf: alles muss raus, überall',
    has: ['To: undisclosed-recipients:;\r\n'],
  },
  {
    client: 'WordPress: the whole page in one line of HTML',
    raw: `Date: Fri, 1 Aug 2025 08:12:13 +0000
To: joe@example.net
From: WordPress <wordpress@example.com>
Subject: [My Blog] Password Reset
Message-ID: <a1@blog.example.com>
X-Mailer: PHPMailer 6.9.1 (https://github.com/PHPMailer/PHPMailer)
MIME-Version: 1.0
Content-Type: text/html; charset=UTF-8

<p>${'x'.repeat(1000)}</p>
`,
    stays: 'To From Subject X-Mailer Content-Type Content-Transfer-Encoding',
    removed: '',
    subject: '[My Blog] Password Reset',
    has: ['\r\nContent-Transfer-Encoding: quoted-printable\r\n'],
    body: `<p>${'x'.repeat(72)}=\r\n${`${'x'.repeat(75)}=\r\n`.repeat(12)}${'x'.repeat(28)}</p>\r\n`,
  },
  {
    client: 'Python email: EmailMessage with bytes and 8-bit headers',
    raw: `Subject: Grüße aus Köln
From: Jäne <jane@example.com>
To: Jöe <joe@example.net>
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: 8bit
MIME-Version: 1.0

Grüße
`,
    stays: 'Subject From To Content-Type Content-Transfer-Encoding',
    removed: '',
    subject: 'Grüße aus Köln',
    has: [
      'Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe_aus_K=C3=B6ln?=\r\n',
      'From: =?UTF-8?Q?J=C3=A4ne?= <jane@example.com>\r\n',
      'To: =?UTF-8?Q?J=C3=B6e?= <joe@example.net>\r\n',
    ],
  },
  {
    client: 'JavaMail: group syntax, comments in addresses, an automatic answer',
    raw: `Date: Fri, 1 Aug 2025 08:12:13 +0000 (UTC)
From: jane@example.com (Jane Doe)
To: Team: joe@example.net, Ann <ann@example.net> (sales);,
\tcy@example.net (Cy)
Message-ID: <1793436274.0.1754035933123@app-1>
Subject: Build failed
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii
Content-Transfer-Encoding: 7bit
Auto-Submitted: Auto-Generated
Priority: urgent
Errors-To: errors@example.com

#42 failed.
`,
    stays: 'From To Subject Content-Type Content-Transfer-Encoding Auto-Submitted',
    removed: 'Priority Errors-To',
    subject: 'Build failed',
    has: [
      'From: Jane Doe <jane@example.com>\r\n',
      'To: Team: joe@example.net, Ann <ann@example.net> (sales);,\r\n\tcy@example.net (Cy)\r\n',
    ],
  },
  {
    client: 'Ruby Mail: boundary with dashes, Content-ID, empty Cc and Bcc',
    raw: `Date: Fri, 01 Aug 2025 08:12:13 +0000
From: jane@example.com
Reply-To:\x20
To: joe@example.net
Cc:\x20
Bcc: boss@example.com
Message-ID: <688c755d3c5e_1a2b3c4d5e@web.1.mail>
Subject: Welcome
Mime-Version: 1.0
Content-Type: multipart/alternative;
 boundary="--==_mimepart_688c755d3b1a4_1a2b3c4d5e";
 charset=UTF-8
Content-Transfer-Encoding: 7bit
Content-ID: <688c755d3c5e@web.1.mail>


----==_mimepart_688c755d3b1a4_1a2b3c4d5e
Content-Type: text/plain;
 charset=UTF-8
Content-Transfer-Encoding: 7bit

Welcome
----==_mimepart_688c755d3b1a4_1a2b3c4d5e--
`,
    stays: 'From To Subject Content-Type Content-Transfer-Encoding Content-ID',
    removed: 'Reply-To Cc Bcc',
    subject: 'Welcome',
  },
  {
    client: 'Go net/smtp: hardly a header',
    raw: 'To: joe@example.net\r\nFrom: jane@example.com\r\nSubject: discount Gophers!\r\n\r\nThis is the email body.\r\n',
    stays: 'To From Subject',
    removed: '',
    subject: 'discount Gophers!',
  },
  {
    client: 'Perl MIME::Lite: text that calls itself binary',
    raw: `MIME-Version: 1.0
Content-Transfer-Encoding: binary
Content-Type: text/plain
X-Mailer: MIME::Lite 3.033 (F2.85; T2.21; A2.22; B3.16; Q3.16)
Date: Fri, 1 Aug 2025 08:12:13 UT
From: jane@example.com
To: joe@example.net
Subject: log

3 = three
`,
    stays: 'Content-Transfer-Encoding Content-Type X-Mailer From To Subject',
    removed: '',
    subject: 'log',
    has: ['Content-Transfer-Encoding: quoted-printable\r\n'],
    body: '3 =3D three\r\n',
  },
  {
    client: 's-nail through msmtp: two recipients, no MIME at all',
    raw: `Date: Fri, 01 Aug 2025 10:12:13 +0200
From: jane@example.com
To: joe@example.net, ann@example.net
Subject: disk
Message-ID: <20250801081213.1a2b%jane@example.com>
User-Agent: s-nail v14.9.24

/dev/sda1  91%
.
..
`,
    stays: 'From To Subject',
    removed: 'User-Agent',
    subject: 'disk',
  },
  {
    client: 'git send-email: a patch, trailing white space and all',
    raw: `From: Jane Doe <jane@example.com>
To: list@example.net
Cc: Joe Doe <joe@example.net>
Subject: [PATCH v2 1/3] mail: keep white space
Date: Fri,  1 Aug 2025 10:12:13 +0200
Message-ID: <20250801081213.1234-2-jane@example.com>
X-Mailer: git-send-email 2.43.0
In-Reply-To: <20250801081213.1234-1-jane@example.com>
References: <20250801081213.1234-1-jane@example.com>
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit

From: Jöe <joe@example.net>

---
 a.c | 2 +-
-\told\x20
+\tnew
--\x20
2.43.0

`,
    stays: 'From To Cc Subject X-Mailer In-Reply-To References Content-Type Content-Transfer-Encoding',
    removed: '',
    subject: '[PATCH v2 1/3] mail: keep white space',
  },
  {
    client: 'cron: its environment, a comment for a name, NUL in the output',
    raw: `From: root@host.example.com (Cron Daemon)
To: admin@example.com
Subject: Cron <root@host> test -x /usr/sbin/anacron || run-parts /etc/cron.daily
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit
X-Cron-Env: <SHELL=/bin/sh>
X-Cron-Env: <HOME=/root>
X-Cron-Env: <LOGNAME=root>

/etc/cron.daily/logrotate:
error: bad line \0 in state file
`,
    stays: 'From To Subject Content-Type Content-Transfer-Encoding X-Cron-Env X-Cron-Env X-Cron-Env',
    removed: '',
    subject: 'Cron <root@host> test -x /usr/sbin/anacron || run-parts /etc/cron.daily',
    has: ['From: Cron Daemon <root@host.example.com>\r\n', 'Content-Transfer-Encoding: quoted-printable\r\n'],
    body: '/etc/cron.daily/logrotate:\r\nerror: bad line =00 in state file\r\n',
  },
]

const REPLACED = /^(?:date|message-id|mime-version|return-path|received|dkim-signature|arc-.*)$/i
const OURS = 'Date Message-ID Feedback-ID CFBL-Address CFBL-Feedback-ID MIME-Version'

function fieldNames(content: Buffer): { readonly names: readonly string[]; readonly bodyStart: number } {
  const block = parseHeaderBlock(content, { fields: 1000, bytes: content.length })
  assert.ok(!('fault' in block), 'fault' in block ? block.detail : '')
  return { names: block.fields.map(({ name }) => name), bodyStart: block.bodyStart }
}

describe('what ordinary clients send', () => {
  for (const { client, raw, stays, removed, subject, has = [], body } of SAMPLES) {
    for (const lineEnd of ['\n', '\r\n']) {
      test(`${client}; lines end in ${JSON.stringify(lineEnd)}`, () => {
        const source = Buffer.from(raw.replaceAll(/\r?\n/g, lineEnd))
        const message = readRawMessage(source)
        assert.ok(!('kind' in message), 'kind' in message ? message.detail : '')
        assert.equal(message.removed.join(' '), removed)
        assert.equal(message.subject, subject)

        const content = composeRaw(message, PLATFORM)
        const written = fieldNames(content)
        assert.equal(written.names.join(' '), `Received ${stays} ${OURS}`)
        const { names } = fieldNames(source)
        for (const name of names) {
          const isNamed = `${stays} ${removed}`.split(' ').includes(name)
          assert.ok(isNamed || REPLACED.test(name), name)
        }

        const header = content.toString('utf8', 0, written.bodyStart)
        for (const text of has) assert.ok(header.includes(text), `${text} in ${header}`)
        assert.equal(
          content.toString('utf8', written.bodyStart),
          body ?? raw.replaceAll(/\r?\n/g, '\r\n').replace(/^[^]*?\r\n\r\n/, ''),
        )
      })
    }
  }
})

describe('what the header reference does not let clients say', () => {
  const REFUSED: readonly (readonly [what: string, field: string, refusal: RegExp])[] = [
    ['Gnus', 'In-Reply-To: <a@b> (Joe\'s message of "Fri")', /^header-value-invalid: Header 'In-Reply-To'/],
    ['a word of its own', 'Auto-Submitted: vacation', /^header-value-invalid: Header 'Auto-Submitted'/],
    ['sendmail', 'Precedence: first-class', /^header-value-invalid: Header 'Precedence'/],
    ['an http link', 'List-Unsubscribe: <http://example.com>', /^header-value-invalid: Header 'List-Unsub/],
  ]
  for (const [what, field, refusal] of REFUSED) {
    test(`${what}: ${field.slice(0, 40)}`, () => {
      const message = readRawMessage(Buffer.from(`From: a@example.com\n${field}\n\nx\n`))
      assert.match('kind' in message ? `${message.kind}: ${message.detail}` : 'accepted', refusal)
    })
  }
})
