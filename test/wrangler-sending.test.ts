import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type Instance, startInstance } from '#test/instance.ts'
import { openWrangler, type Wrangler } from '#test/wrangler.ts'

/** `wrangler email sending …`, every command and flag (clients.md §2): what its user sees, and what came of it. */
let instance: Instance
let wrangler: Wrangler

before(async () => {
  instance = await startInstance({
    POSTHORN_DEV_ZONES: 'yourdomain.com, other.example',
    POSTHORN_SEND_WAIT_MS: '1000',
  })
  wrangler = await openWrangler(instance)
})
after(async () => {
  await wrangler[Symbol.asyncDispose]()
  await instance[Symbol.asyncDispose]()
})

test('list: of the account, of a zone, of a domain below it', async () => {
  const header = '│ zone │ name │ enabled │ tag │'
  assert.equal(
    await wrangler.prints('email sending list'),
    [
      header,
      '│ yourdomain.com │ yourdomain.com │ yes │ <id> │',
      '│ other.example │ other.example │ yes │ <id> │',
    ].join('\n'),
  )
  const ofZone = '│ name │ enabled │ tag │\n│ yourdomain.com │ yes │ <id> │'
  assert.equal(await wrangler.prints('email sending list yourdomain.com'), ofZone)
  const named = `email sending list yourdomain.com --zone-id ${instance.dev.zone_id}`
  assert.equal(await wrangler.prints(named), ofZone)
})

test('enable, settings, dns get and disable, of a domain two labels below its zone', async () => {
  const name = 'a.news.yourdomain.com'
  const mail = { from: `a@${name}`, to: 'x@example.com', subject: 's', text: 't' }
  assert.equal((await instance.send(mail)).status, 403)
  assert.equal(
    await wrangler.prints(`email sending enable ${name}`),
    `Email Sending enabled for ${name} (enabled: true)`,
  )
  assert.equal((await instance.send(mail)).status, 200)
  assert.equal(
    await wrangler.prints(`email sending enable ${name} --zone-id ${instance.dev.zone_id}`),
    `Email Sending enabled for ${name} (enabled: true)`,
    'again',
  )
  assert.equal(
    await wrangler.prints(`email sending settings ${name}`),
    [
      `Email Sending for ${name}:`,
      '  Enabled:            true',
      '  Tag:                <id>',
      '  Created:            <time>',
      '  Modified:           <time>',
      '  DKIM selector:      cf-bounce',
      `  Return-path domain: cf-bounce.${name}`,
    ].join('\n'),
  )
  const mx = [13, 24, 86].map(
    (priority, index) =>
      `MX record:\n  Name:     cf-bounce.${name}\n  Content:  route${index + 1}.mx.posthorn.test\n  Priority: ${priority}\n  TTL:      1\n`,
  )
  const txt = [
    [`cf-bounce.${name}`, 'v=spf1 include:_spf.mx.posthorn.test ~all'],
    [`cf-bounce._domainkey.${name}`, 'v=DKIM1; h=sha256; k=rsa; p=<key>'],
    [`_dmarc.${name}`, 'v=DMARC1; p=reject;'],
  ].map(([host, content]) => `TXT record:\n  Name:     ${host}\n  Content:  ${content}\n  TTL:      1\n`)
  assert.equal(`${await wrangler.prints(`email sending dns get ${name}`)}\n`, [...mx, ...txt].join('\n'))
  const disable = `email sending disable ${name}`
  assert.match(await wrangler.prints(disable), /Not disabling\.$/)
  assert.equal((await instance.send(mail)).status, 200)
  assert.equal(await wrangler.prints(`${disable} -y`), `Email Sending disabled for ${name}`)
  assert.equal((await instance.send(mail)).status, 403)
})

test('send: with every flag', async () => {
  writeFileSync(join(wrangler.folder, 'note.txt'), 'attached\n')
  writeFileSync(join(wrangler.folder, 'page.html'), '<p>attached</p>\n')
  const printed = await wrangler.prints(
    [
      'email sending send --from app@yourdomain.com --to one@example.com --to two@example.com',
      '--cc three@example.com --bcc four@example.com --reply-to help@yourdomain.com',
      '--attachment note.txt --attachment page.html',
    ].join(' '),
    {
      more: [
        ...['--from-name', 'The App', '--reply-to-name', 'The Desk', '--subject', 'By wrangler, grüße'],
        ...['--text', 'plain words', '--html', '<b>bold words</b>'],
        ...['--header', 'X-Campaign-ID: one', '--header', 'X-Other: 2'],
      ],
    },
  )
  assert.match(printed, /^Delivered to: (?:(?:one|two|three|four)@example\.com(?:, )?){4}$/)
  const arrived = await instance.inbox('from:app@yourdomain.com', 4)
  assert.deepEqual(
    new Set(arrived.map(({ Subject, From }) => [Subject, From.Address, From.Name].join('|'))),
    new Set(['By wrangler, grüße|app@yourdomain.com|The App']),
  )
  const raw = await instance.raw(arrived[0]?.ID ?? '')
  for (const line of [
    /^To: .*one@example\.com.*two@example\.com/m,
    /^Cc: .*three@example\.com/m,
    /^Reply-To: "?The Desk"? <help@yourdomain\.com>/m,
    /^X-Campaign-ID: one\r$/m,
    /^X-Other: 2\r$/m,
    /^plain words\r$/m,
    /<b>bold words<\/b>/,
    /filename="?note\.txt/,
    /^Content-Type: text\/html;? .*page\.html/m,
  ])
    assert.match(raw, line)
  assert.ok(raw.includes(Buffer.from('attached\n').toString('base64')))
  assert.doesNotMatch(raw, /four@example\.com/)
})

test('send: what bounced and what is queued is told apart', async () => {
  const send = 'email sending send --from app@yourdomain.com --subject s --text t'
  const { status, stdout, stderr } = await wrangler.run([
    ...send.split(' '),
    ...['--to', 'bounce@simulator.posthorn.test', 'deferred@simulator.posthorn.test', 'five@example.com'],
  ])
  assert.equal(status, 0)
  assert.match(stdout, /^Delivered to: five@example\.com$/m)
  assert.match(stdout, /^Queued for: deferred@simulator\.posthorn\.test$/m)
  assert.match(stderr, /Permanently bounced: bounce@simulator\.posthorn\.test/)
})

test('send-raw: from an argument and from a file', async () => {
  const mime = (to: string, end: string) =>
    ['From: app@yourdomain.com', `To: ${to}`, 'Subject: raw', '', 'raw words', ''].join(end)
  const argument = { more: ['--mime', mime('six@example.com', '\n')] }
  assert.equal(
    await wrangler.prints('email sending send-raw --from app@yourdomain.com --to six@example.com', argument),
    'Delivered to: six@example.com',
  )
  writeFileSync(join(wrangler.folder, 'mail.eml'), mime('seven@example.com', '\r\n'))
  const file = 'email sending send-raw --from app@yourdomain.com --mime-file mail.eml'
  assert.equal(
    await wrangler.prints(`${file} --to seven@example.com --to eight@example.com`),
    'Delivered to: seven@example.com, eight@example.com',
  )
  for (const [to, count] of [
    ['six@example.com', 1],
    ['seven@example.com', 2],
  ] as const) {
    // Both recipients of the file see the header that names the first of them.
    const [mail] = await instance.inbox(`subject:raw ${to}`, count)
    assert.match(await instance.raw(mail?.ID ?? ''), /\r\n\r\nraw words\r\n/)
  }
})

test('nothing but the instance was dialled', () => {
  assert.equal(wrangler.strayConnections(), 0)
})
