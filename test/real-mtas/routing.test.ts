import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { composeMessage } from '#outbound/compose/compose-message.ts'
import { signMessage } from '#outbound/compose/sign-message.ts'
import { judgeRoute } from '#test/judge-route.ts'
import { withoutExim } from '#test/real-exim.ts'
import type { StoredCopy } from '#test/real-mta.ts'
import { withoutVerifiers } from '#test/real-mta-mail.ts'
import { withoutPostfix } from '#test/real-postfix.ts'
import {
  BOUNCES,
  GONE,
  GONE_TEXT,
  type RealRoute,
  startRealRoute,
  UNWANTED_TEXT,
  WRITER,
} from '#test/real-route.ts'
import { eventsOf, forwardRule } from '#test/routing-instance.ts'
import { mailbox, PLATFORM, variedDrafts } from '#test/varied-drafts.ts'

/** Mail from Postfix and from Exim through the MX door to a Postfix, as mail servers and verifiers see it that nobody here
 *  wrote. */

const LARGE = 'The quick brown fox jumps over the lazy dog.\r\n'.repeat(30_000)
const ODD = [
  'Subject:\r\n folded \t\r\n  here  \r\n\r\n  leading\r\n\t\r\ntrailing  \t \r\n\r\n\r\n',
  'Subject: no body\r\n\r\n',
  `${'Comments: x\r\n'.repeat(40)}X-A: 1\r\nX-A: 2\r\n\r\n.\r\n..\r\n.x\r\nQUIT\r\n`,
  'Subject: caf\xe9, which nothing declares\r\n\r\n\xff\xfe \r\n',
  `References: ${'<a.b@example.com>\r\n '.repeat(60)}<c@d.example>\r\n\r\n${' x'.repeat(400)}\r\n`,
  'SUBJECT: \t x \t\r\nAuthentication-Results: a.example; dkim=none\r\nReceived: from a by b; Sat, 21 Nov 2026 04:18:26 +0000\r\n\r\nx\r\n',
  `Subject: larger than what stays in memory\r\n\r\n${LARGE}`,
]

for (const [origin, skip] of [
  ['postfix', withoutPostfix()],
  ['exim', withoutPostfix() || withoutExim()],
] as const) {
  suite(`${origin} sends in, and Postfix gets it`, { skip: skip || withoutVerifiers() }, () => {
    let route: RealRoute
    let serial = 0

    before(async () => {
      route = await startRealRoute({ origin })
      const { instance } = route
      await forwardRule(instance, 'sales@yourdomain.com', 'inbox@destination.example')
      await forwardRule(instance, 'other@yourdomain.com', 'other@elsewhere.example')
      await forwardRule(instance, 'twice@yourdomain.com', 'sales@yourdomain.com')
      await forwardRule(instance, 'gone@yourdomain.com', GONE)
      await forwardRule(instance, 'bounces@yourdomain.com', BOUNCES)
    })
    after(async () => route[Symbol.asyncDispose]())

    /** Signed by the origin's domain. Out: its Message-ID. */
    async function write(to: string | readonly string[], content: string): Promise<string> {
      const id = `<${serial++}@sender.example>`
      const message = Buffer.from(`Message-ID: ${id}\r\nFrom: Someone <${WRITER}>\r\n${content}`, 'latin1')
      await route.write(await signMessage(message, route.signing, new Date()), to)
      return id
    }

    /** Copies of a message at the destination, once there are so many. */
    async function arrived(id: string, count = 1): Promise<readonly StoredCopy[]> {
      return once(`${count} of ${id}`, () => {
        const copies = route.destination.stored().filter(({ content }) => content.includes(id))
        return copies.length >= count ? copies : undefined
      })
    }

    /** What came back to the writer about a message, once something did. */
    async function cameBack(id: string): Promise<string> {
      const copy = await once(`what came back about ${id}`, () =>
        route.origin.stored().find(({ content }) => content.includes(id)),
      )
      assert.deepEqual([copy.returnPath, copy.recipient], ['', WRITER])
      return copy.content.toString().replaceAll(/\r\n[ \t]+/g, ' ')
    }

    test('what arrives verifies: the writer’s signature, both of ours, the ARC chain, SPF', async () => {
      const drafts = variedDrafts(0)
        .filter((_, i) => i % 10 === 0)
        .map((draft) => ({ ...draft, from: mailbox(WRITER, 'Someone') }))
      const composed = await Promise.all(drafts.map((draft) => composeMessage(draft, PLATFORM)))
      const odd = ODD.map((text) => Buffer.from(`From: ${WRITER}\r\n${text}`, 'latin1'))
      const signed: Buffer[] = []
      for (const [i, message] of [...composed, ...odd].entries()) {
        const marked = Buffer.concat([Buffer.from(`X-Serial: ${i};\r\n`), message])
        signed.push(await signMessage(marked, route.signing, new Date()))
        await route.write(signed[i] ?? marked, 'sales@yourdomain.com')
      }
      const copies = await arrived('X-Serial: ', signed.length)
      assert.equal(copies.length, signed.length, 'each once')

      for (const { content, received, returnPath, recipient } of copies) {
        const original = signed.find((one) => one.includes(serialOf(content)))
        assert.ok(
          original && content.subarray(-original.length).equals(original),
          content.toString('latin1').slice(0, 6000),
        )
        assert.match(received, /with (?:UTF8SMTPS|ESMTPS) /)
        assert.equal(recipient, 'inbox@destination.example')
        const results = /^Authentication-Results: route1\.mx\.posthorn\.test;(?:.*\r\n[ \t])*.*/m.exec(
          content.toString('latin1'),
        )
        assert.match(
          results?.[0] ?? '',
          /\sspf=pass [^]*\sdkim=pass header\.d=sender\.example [^]*\sdmarc=pass /,
        )
        assert.match(returnPath, /^SRS0=\w+=\w+=sender\.example=someone@email\.posthorn\.test$/)
      }
      const [first = assert.fail('none')] = copies
      const tampered = { ...first, content: Buffer.concat([first.content, Buffer.from('one more line\r\n')]) }
      const judged = judgeRoute(route.instance.dev.dns.port, [...copies, tampered])
      // Verifiers that pass everything would prove nothing.
      const last = judged.at(-1)
      assert.deepEqual([last?.held, last?.arc], [[], 'fail'])
      for (const [i, { reason, ...one }] of judged.slice(0, -1).entries()) {
        assert.deepEqual(
          one,
          { held: SIGNERS, broken: [], arc: 'pass', sets: 1, spf: 'pass', elsewhere: 'softfail' },
          `${reason}\n${copies[i]?.content.toString('latin1').slice(0, 6000)}`,
        )
      }
    })

    test('forwarded twice: every signature and a chain of two', async () => {
      const id = await write('twice@yourdomain.com', 'Subject: there and on\r\n\r\nx\r\n')
      const [copy = assert.fail('none')] = await arrived(id)
      assert.match(copy.returnPath, /^SRS0=\w+=\w+=sender\.example=someone@email\.posthorn\.test$/)
      const [judged] = judgeRoute(route.instance.dev.dns.port, [copy])
      const { held, broken, arc, sets, spf } = judged ?? assert.fail('not judged')
      assert.deepEqual(held, [...SIGNERS.slice(0, 2), ...SIGNERS])
      assert.deepEqual({ broken, arc, sets, spf }, { broken: [], arc: 'pass', sets: 2, spf: 'pass' })
    })

    test('refused at RCPT: the origin says so to its writer, in the words of the destination', async () => {
      const id = await write('gone@yourdomain.com', 'Subject: to nobody\r\n\r\nx\r\n')
      const bounce = await cameBack(id)
      assert.match(bounce, /^Reporting-MTA: dns; mail\.sender\.example/m)
      assert.ok(
        diagnosticOf(bounce).startsWith(
          `smtp; 550 5.1.1 <${GONE}>: Recipient address rejected: ${GONE_TEXT}`,
        ),
        bounce,
      )
      const [event, ...more] = eventsOf(route.instance, 'gone@yourdomain.com')
      assert.deepEqual([event?.type, event?.detail.cause, more], ['bounced', 'recipient-unknown', []])
    })

    test('refused after DATA: the same', async () => {
      const id = await write('other@yourdomain.com', 'Subject: unwanted here\r\n\r\nx\r\n')
      const bounce = await cameBack(id)
      assert.match(bounce, /^Reporting-MTA: dns; mail\.sender\.example/m)
      assert.ok(diagnosticOf(bounce).startsWith(`smtp; 550 5.7.1 ${UNWANTED_TEXT}`), bounce)
    })

    test('taken and then bounced: the report goes back through the rewritten address to the writer', async () => {
      const id = await write('bounces@yourdomain.com', 'Subject: taken, and then not\r\n\r\nx\r\n')
      const bounce = await cameBack(id)
      assert.match(bounce, /^Reporting-MTA: dns; mail\.example/m)
      assert.match(bounce, /^Final-Recipient: rfc822; nobody@inside\.example/m)
      assert.match(bounce, /^X-Forwarded-To: someone@sender\.example/m)
      const [returned] = eventsOf(route.instance, /^X-Postfix-Sender: rfc822; (.*?)\r$/m.exec(bounce)?.[1])
      assert.equal(returned?.type, 'delivered')
      const { action, isNdr } = returned.detail.routed ?? {}
      assert.deepEqual({ action, isNdr }, { action: 'return', isNdr: true })
    })

    test('several recipients of one transaction: who takes it has it, of who refuses it there is one notice', async () => {
      const to = ['sales', 'gone', 'other'].map((name) => `${name}@yourdomain.com`)
      const id = await write(to, 'Subject: to three\r\n\r\nx\r\n')
      const copies = await arrived(id, 2)
      assert.deepEqual(copies.map(({ recipient }) => recipient).toSorted(), [
        'inbox@destination.example',
        'other@elsewhere.example',
      ])
      for (const { held, arc } of judgeRoute(route.instance.dev.dns.port, copies))
        assert.deepEqual([held, arc], [SIGNERS, 'pass'])
      const notice = await cameBack(id)
      assert.match(notice, /^Reporting-MTA: dns; posthorn\.test/m)
      assert.ok(notice.includes(GONE_TEXT), notice)
    })
  })
}

/** Every look reads whole mailboxes. */
async function once<T>(what: string, look: () => T | undefined): Promise<T> {
  for (const end = Date.now() + 60_000; ; await sleep(100)) {
    const seen = look()
    if (seen !== undefined) return seen
    if (Date.now() > end) throw new Error(`never: ${what}`)
  }
}

/** From the top down. */
const SIGNERS = [
  'cf2024-1._domainkey.email.posthorn.test',
  'cf2024-1._domainkey.yourdomain.com',
  'origin._domainkey.sender.example',
]

function serialOf(content: Buffer): string {
  return /^X-Serial: \d+;/m.exec(content.toString('latin1'))?.[0] ?? assert.fail('no serial')
}

function diagnosticOf(bounce: string): string {
  return /^Diagnostic-Code: (.*)\r$/m.exec(bounce)?.[1] ?? ''
}
