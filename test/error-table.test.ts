import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { developmentBrowser } from '#test/http-browser.ts'
import { type Instance, post, startInstance } from '#test/instance.ts'
import { addSecondAccount } from '#test/second-account.ts'

/** The table of the REST page, row by row over HTTP: status, code, message. Rows that only a broken part can cause break
 *  that part in the store. */
const mail = { to: 'x@example.com', from: 'a@yourdomain.com', subject: 's', text: 't' }

function breakStore(instance: Instance, sql: string): void {
  const db = new DatabaseSync(join(instance.directory, 'posthorn.sqlite'))
  db.exec(`pragma busy_timeout = 5000; ${sql}`)
  db.close()
}

async function expect(
  answer: ReturnType<Instance['send']>,
  status: number,
  code: number,
  message: string,
): Promise<Headers> {
  const { status: got, headers, body } = await answer
  assert.deepEqual(
    [got, body.success, body.errors[0]?.code, body.errors[0]?.message],
    [status, false, code, message],
  )
  assert.equal(body.result, null)
  assert.ok((body.errors[0]?.error_chain?.[0]?.message.length ?? 0) > 10, 'with a sentence for a person')
  return headers
}

const error = (name: string) => `email.sending.error.${name}`
const send = (instance: Instance, headers = {}) => instance.send(mail, headers)

test('400, 401, 403 and 404 of the table', async () => {
  await using instance = await startInstance()
  const { api, account_id } = instance.dev
  const url = (id: string) => `${api}/accounts/${id}/email/sending/send`
  await expect(instance.send({ ...mail, subject: 5 }), 400, 10001, error('invalid_request_schema'))
  const large = {
    content: Buffer.alloc(5e6).toString('base64'),
    filename: 'a',
    type: 'a/b',
    disposition: 'attachment',
  }
  await expect(instance.send({ ...mail, attachments: [large] }), 400, 10200, error('email.too_big'))
  await expect(
    instance.send({ ...mail, to: 'suppressed@simulator.posthorn.test' }),
    400,
    10202,
    error('email.invalid'),
  )
  await expect(post(url(account_id), mail, {}), 401, 10101, error('authentication.unauthorized'))
  const browser = await developmentBrowser(instance)
  const session = {
    cookie: browser.cookie() ?? '',
    origin: instance.dev.dashboard,
    'x-csrf-token': browser.session().csrf_token ?? '',
  }
  await expect(post(url(account_id), mail, session), 401, 10103, error('authentication.bad_token_type'))
  const reader = addSecondAccount(instance.directory, ['Email Sending:Read'])
  const authorization = `Bearer ${reader.token}`
  await expect(
    post(url(reader.accountId), mail, { authorization }),
    403,
    10102,
    error('authentication.forbidden'),
  )
  await expect(
    instance.send({ ...mail, from: 'a@nowhere.example' }),
    403,
    10204,
    error('email.sender_not_configured'),
  )
  await expect(post(url('f'.repeat(32)), mail, { authorization }), 404, 10000, error('not_found'))
})

test('403: a domain that is switched off, and an account that may not send', async () => {
  await using off = await startInstance()
  breakStore(off, `update domain set sending = 'disabled'`)
  await expect(send(off), 403, 10203, error('email.sending_disabled'))
  await using barred = await startInstance()
  breakStore(barred, 'update account set sending_enabled = 0')
  await expect(send(barred), 403, 10105, error('authentication.not_entitled'))
})

test('429: more large bodies at once than there is room for', async () => {
  await using instance = await startInstance()
  const body = `${JSON.stringify({ ...mail, to: 'slow@simulator.posthorn.test' }).slice(0, -1)}${' '.repeat(40 * 1_048_576)}}`
  const answers = await Promise.all(Array.from({ length: 8 }, () => instance.send(body)))
  const throttled = answers.filter(({ status }) => status === 429)
  assert.ok(throttled.length > 0)
  for (const { headers, body } of throttled) {
    assert.equal(body.errors[0]?.code, 10004)
    assert.equal(headers.get('retry-after'), '1')
  }
  assert.equal((await send(instance)).status, 200)
})

test('500 and 503: a broken store loses nothing and says no secret', async () => {
  await using instance = await startInstance()
  breakStore(instance, 'alter table message rename to message_gone')
  const headers = await expect(send(instance), 500, 10002, error('internal_server'))
  assert.equal(headers.get('x-should-retry'), 'false', 'the promise may have been made')
  await using locked = await startInstance()
  breakStore(locked, 'alter table token rename to token_gone')
  await expect(send(locked), 503, 10100, error('authentication.upstream'))
  assert.match(locked.log(), /token store is out of reach/)
  assert.doesNotMatch(locked.log(), new RegExp(locked.dev.api_token))
})
