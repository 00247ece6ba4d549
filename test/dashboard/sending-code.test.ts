import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import PostalMime from 'postal-mime'
import { deployWorker } from '#test/deploy-worker.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { api } from '#test/routing-instance.ts'
import { REQUEST_CODES, type RequestCode } from '../../dashboard/src/sending/request-code.ts'
import type { TestMessage } from '../../dashboard/src/sending/test-message.ts'

/** The code that “Send a test” shows is run as it stands: each language has to send the message that was typed, with
 *  whatever a shell or a quoted text could stumble over. */
const run = promisify(execFile)
let instance: Instance
let directory: string

before(async () => {
  instance = await startInstance()
  directory = await mkdtemp(join(tmpdir(), 'posthorn-code-'))
  writeFileSync(join(directory, "it's a.txt"), 'attached\n')
  await symlink(join(import.meta.dirname, '../../node_modules'), join(directory, 'node_modules'))
})
after(async () => {
  await instance?.[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

const TEXT = 'Line one\n.a dot\nEOF\n\'single\' "double" \\n $HOME `id` $(id) %s \\u0041\n\nÄnde 🎺'

function messageTo(code: RequestCode): TestMessage {
  return {
    from: { address: 'hello@yourdomain.com', name: 'Zoë "Z" O\'Neil' },
    to: [`${code}@example.com`],
    subject: `It's $HOME, \`id\` and "quotes" – über alle Maßen langes, damit mehr als ein Wort kodiert wird`,
    text: TEXT,
    html: "<p class='a'>It's \"good\" &amp; $fine</p>",
    attachments: [{ filename: "it's a.txt", type: 'text/plain', content: btoa('attached\n') }],
  }
}

const PROGRAMS: Partial<Record<RequestCode, { readonly file: string; readonly command: string }>> = {
  curl: { file: 'send.sh', command: 'bash' },
  fetch: { file: 'fetch.mjs', command: process.execPath },
  sdk: { file: 'sdk.mjs', command: process.execPath },
  python: { file: 'send.py', command: 'python3' },
  'smtp-curl': { file: 'smtp-curl.sh', command: 'bash' },
  'smtp-swaks': { file: 'smtp-swaks.sh', command: 'bash' },
}

for (const [code, program] of Object.entries(PROGRAMS) as [
  RequestCode,
  { file: string; command: string },
][]) {
  const absent = code === 'smtp-swaks' && !existsSync('/usr/bin/swaks') ? 'no swaks here' : false
  test(`what is shown as ${REQUEST_CODES[code].label} sends the message`, { skip: absent }, async () => {
    const { dev } = instance
    const place = {
      ...{ api: dev.api, accountId: dev.account_id, ca: dev.ca },
      submission: { host: dev.submission.host, port: dev.submission.port },
    }
    const message = messageTo(code)
    writeFileSync(join(directory, program.file), REQUEST_CODES[code].write(message, place))
    await run(program.command, [program.file], {
      cwd: directory,
      env: { ...process.env, API_TOKEN: dev.api_token },
      timeout: 30_000,
    })
    const [arrived] = await instance.inbox(`to:${code}@example.com`)
    assert.ok(arrived)
    const read = await PostalMime.parse(await instance.raw(arrived.ID))
    assert.equal(read.subject, message.subject)
    assert.deepEqual([read.from?.address, read.from?.name], [message.from.address, message.from.name])
    assert.equal(read.text?.trim().replaceAll('\r\n', '\n'), expectedText(code))
    assert.equal(read.html?.trim(), message.html)
    const [attachment] = read.attachments
    assert.ok(attachment)
    assert.equal(attachment.filename, "it's a.txt")
    const { content } = attachment
    assert.equal(typeof content === 'string' ? content : new TextDecoder().decode(content), 'attached\n')
  })
}

/** swaks itself takes the two characters of `\n` for an end of line. */
function expectedText(code: RequestCode): string {
  return code === 'smtp-swaks' ? TEXT.replace('\\n', '\n') : TEXT
}

test('what is shown as a Worker sends the message by its binding', async () => {
  const message = { ...messageTo('worker'), attachments: [] }
  const code = REQUEST_CODES.worker.write(message)
  // The configuration that its first line names.
  const [, binding] = /^\/\/ wrangler\.jsonc: "send_email": \[(.*)\]$/m.exec(code) ?? []
  const bindings = [{ type: 'send_email', ...JSON.parse(binding ?? '') }]
  await deployWorker(instance, 'shown', { metadata: { bindings }, modules: { 'index.js': code } })
  const script = `/accounts/${instance.dev.account_id}/workers/scripts/shown`
  await api(instance, 'POST', `${script}/subdomain`, { enabled: true })
  const { status, text } = await instance.askWorker('shown', '/')
  assert.equal(status, 200, text)
  const [arrived] = await instance.inbox('to:worker@example.com')
  assert.equal(`<${arrived?.MessageID}>`, text)
  const read = await PostalMime.parse(await instance.raw(arrived?.ID ?? ''))
  assert.equal(read.subject, message.subject)
  assert.deepEqual([read.from?.address, read.from?.name], [message.from.address, message.from.name])
  assert.equal(read.text?.trim().replaceAll('\r\n', '\n'), TEXT)
  assert.equal(read.html?.trim(), message.html)
})
