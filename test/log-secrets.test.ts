import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { z } from 'zod'
import { deployWorker } from '#test/deploy-worker.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { askOperator, operatorToken } from '#test/operator.ts'
import { until } from '#test/outbound.ts'
import { api, forwardRule, rule, SENDER, toMx } from '#test/routing-instance.ts'
import { submitRaw } from '#test/submit-raw.ts'
import { answering, openReceiver } from '#test/webhook-receiver.ts'

/** The log at its finest, over a day in the life of an instance: whoever reads it learns ids and no secret. */
const random = (name: string) => `${name}-${randomBytes(12).toString('hex')}`

const line = z.looseObject({
  level: z.number(),
  time: z.string(),
  msg: z.string(),
  message: z.string().optional(),
  delivery: z.string().optional(),
})

function lines(instance: Instance): z.output<typeof line>[] {
  return instance
    .log()
    .split('\n')
    .filter((text) => text !== '')
    .map((text) => line.parse(JSON.parse(text)))
}

/** What must not be in it, by what it is. */
const SECRETS = {
  subject: random('subject'),
  text: random('text'),
  html: random('html'),
  attachment: random('attachment'),
  header: random('header'),
  'subject over SMTP': random('smtp-subject'),
  'text over SMTP': random('smtp-text'),
  'subject that came in': random('inbound-subject'),
  'text that came in': random('inbound-text'),
  'wrong password': random('wrong'),
  'password of a smarthost': random('relay'),
  'a value of KV': random('value'),
  'the address of a webhook': random('hook'),
  'what a webhook answers': random('answer'),
  'a secret that a Worker came with': random('bound'),
  'a secret that a Worker was given': random('given'),
}

async function day(instance: Instance): Promise<Readonly<Record<string, string>>> {
  const { account_id: accountId } = instance.dev
  const from = 'app@yourdomain.com'
  const send = (to: string | string[]) =>
    instance.send({
      ...{ from, to, subject: SECRETS.subject, text: SECRETS.text, html: `<p>${SECRETS.html}</p>` },
      headers: { 'X-Secret': SECRETS.header },
      attachments: [
        {
          content: Buffer.from(SECRETS.attachment).toString('base64'),
          filename: `${SECRETS.attachment}.txt`,
          ...{ type: 'text/plain', disposition: 'attachment' },
        },
      ],
    })
  for (const kind of [
    'delivered',
    'bounce',
    'softbounce',
    'policy',
    'late-bounce',
    'complaint',
    'disconnect',
  ])
    await send(`${kind}+log@simulator.posthorn.test`)
  assert.equal((await send('suppressed@simulator.posthorn.test')).status, 400)
  assert.equal(
    (await instance.send({ from, to: 'x', subject: SECRETS.subject, text: SECRETS.text })).status,
    400,
  )
  assert.equal((await instance.send(`{"subject": "${SECRETS.subject}", `)).status, 400)

  const content = [
    ...['From: app@yourdomain.com', 'To: smtp@example.com'],
    ...[`Subject: ${SECRETS['subject over SMTP']}`, '', SECRETS['text over SMTP'], ''],
  ].join('\r\n')
  await submitRaw(instance.dev, { from, to: 'smtp@example.com', content })
  await submitRaw(instance.dev, { from: 'a@elsewhere.example', to: 'smtp@example.com', content })
  const wrong = { ...instance.dev, api_token: SECRETS['wrong password'] }
  await assert.rejects(submitRaw(wrong, { from, to: 'smtp@example.com', content }))
  await instance.send(
    { from, to: 'x@example.com', subject: 's', text: 't' },
    { authorization: `Bearer ${wrong.api_token}` },
  )

  await forwardRule(instance, 'in@yourdomain.com', 'me@dest.example')
  const arrived = [
    ...[`From: ${SENDER}`, 'To: in@yourdomain.com', 'Message-ID: <in@pass.posthorn.test>'],
    ...[`Subject: ${SECRETS['subject that came in']}`, '', SECRETS['text that came in'], ''],
  ].join('\r\n')
  await toMx(instance, { to: 'in@yourdomain.com', content: arrived })
  await toMx(instance, { to: 'nobody@yourdomain.com', content: arrived }).catch(() => undefined)

  const relay = {
    ...{ host: 'relay.example', tls: 'implicit', username: 'relay' },
    password: SECRETS['password of a smarthost'],
  }
  const sending = `/accounts/${accountId}/email/sending`
  await api(instance, 'PUT', `${sending}/smarthost`, relay)
  await api(instance, 'POST', `${sending}/smarthost/test`, relay).catch(() => undefined)
  await send('later@example.com')
  await api(instance, 'DELETE', `${sending}/smarthost`)
  const token = await api<{ id: string; value: string }>(instance, 'POST', `/accounts/${accountId}/tokens`, {
    name: 'log',
    policies: [
      {
        effect: 'allow',
        resources: { [`com.cloudflare.api.account.${accountId}`]: '*' },
        permission_groups: [{ id: await permissionGroup(instance, 'Email Sending') }],
      },
    ],
  })
  const rolled = await api<string>(instance, 'PUT', `/accounts/${accountId}/tokens/${token.id}/value`, {})
  const kv = await api<{ id: string }>(instance, 'POST', `/accounts/${accountId}/storage/kv/namespaces`, {
    title: 'log',
  })
  await api(
    instance,
    'PUT',
    `/accounts/${accountId}/storage/kv/namespaces/${kv.id}/values/k`,
    SECRETS['a value of KV'],
  )
  await askOperator(instance, 'POST', '/deliveries/hold', { body: { all: true } })
  await askOperator(instance, 'POST', '/deliveries/cancel', { body: { all: true } })
  return { 'a made token': token.value, 'a rolled token': rolled }
}

/** What is told to others is signed, and those may answer anything. */
async function webhooks(instance: Instance, port: number): Promise<Readonly<Record<string, string>>> {
  const path = `/accounts/${instance.dev.account_id}/email/webhooks`
  const url = (place: string) => `http://localhost:${place}/${SECRETS['the address of a webhook']}`
  const made = await api<{ id: string; secret: string }>(instance, 'POST', path, { url: url(String(port)) })
  await api(instance, 'POST', `${path}/${made.id}/test`)
  const rotated = await api<{ secret: string }>(instance, 'POST', `${path}/${made.id}/rotate_secret`)
  // Nobody listens there.
  await api(instance, 'PATCH', `${path}/${made.id}`, { url: url('65535') })
  await api(instance, 'POST', `${path}/${made.id}/test`)
  await api(instance, 'PATCH', `${path}/${made.id}`, { url: url(String(port)) })
  const bare = ({ secret }: { readonly secret: string }) => secret.replace('whsec_', '')
  return { 'the secret of a webhook': bare(made), 'its next secret': bare(rotated) }
}

/** Its code may say and throw what it was given. */
const TELLS = `const tell = (env) => {
  console.log(env.BOUND, env.GIVEN)
  throw new Error(env.BOUND + env.GIVEN)
}
export default { fetch: (_, env) => tell(env), email: (_, env) => tell(env) }`

async function workers(instance: Instance): Promise<void> {
  const bindings = [{ type: 'secret_text', name: 'BOUND', text: SECRETS['a secret that a Worker came with'] }]
  await deployWorker(instance, 'tells', { metadata: { bindings }, modules: { 'index.js': TELLS } })
  const script = `/accounts/${instance.dev.account_id}/workers/scripts/tells`
  await api(instance, 'POST', `${script}/subdomain`, { enabled: true })
  await api(instance, 'PUT', `${script}/secrets`, {
    ...{ type: 'secret_text', name: 'GIVEN', text: SECRETS['a secret that a Worker was given'] },
  })
  assert.equal((await instance.askWorker('tells', '/')).status, 500)
  await rule(instance, 'tells@yourdomain.com', { type: 'worker', value: ['tells'] })
  const content = `From: ${SENDER}\nSubject: ${SECRETS['subject that came in']}\n\n${SECRETS['text that came in']}\n`
  assert.match(await toMx(instance, { to: 'tells@yourdomain.com', content }), /^451 /)
}

async function permissionGroup(instance: Instance, name: string): Promise<string> {
  const path = `/accounts/${instance.dev.account_id}/tokens/permission_groups`
  const groups = await api<readonly { readonly id: string; readonly name: string }[]>(instance, 'GET', path)
  return groups.find((group) => group.name.startsWith(name))?.id ?? ''
}

test('no body, subject, secret or token is in the log, and each line about mail says whose', {
  timeout: 120_000,
}, async () => {
  await using instance = await startInstance({ POSTHORN_LOG_LEVEL: 'trace' })
  await using receiver = await openReceiver()
  receiver.behave(answering(500, SECRETS['what a webhook answers']))
  const told = await webhooks(instance, receiver.port)
  await workers(instance)
  const made = { ...(await day(instance)), ...told }
  await until('a webhook is told', () => receiver.received.length > 1)
  for (const said of ['feedback: a complaint', 'feedback: a late bounce'])
    await until(said, () => lines(instance).some(({ msg }) => msg === said))
  // What fails inside tells of itself too.
  const database = new DatabaseSync(join(instance.directory, 'posthorn.sqlite'))
  database.exec(`pragma busy_timeout = 5000; create trigger broken before insert on event
    when new.type = 'delivered' begin select raise(abort, 'out of order'); end`)
  await instance.send({
    ...{ from: 'app@yourdomain.com', to: 'broken@other.example' },
    ...{ subject: SECRETS.subject, text: SECRETS.text },
  })
  const failed = 'deliver: an outcome could not be recorded'
  await until(failed, () => lines(instance).some(({ msg }) => msg === failed))
  database.exec('drop trigger broken')
  database.close()

  const log = instance.log()
  const read = (file: string) => readFileSync(join(instance.directory, file), 'utf8').trim()
  const secrets: Readonly<Record<string, string>> = {
    ...SECRETS,
    ...made,
    'the token of the account': instance.dev.api_token,
    'the token of the operator': operatorToken(instance),
    'the master key': read('master.key'),
    'a private key': 'PRIVATE KEY',
  }
  for (const [what, secret] of Object.entries(secrets)) {
    assert.ok(secret.length > 8, what)
    for (const form of [secret, Buffer.from(secret).toString('base64').slice(0, -4)])
      assert.ok(!log.includes(form), `${what} is in the log`)
  }

  const all = lines(instance)
  for (const { msg, message, messageId } of all.filter(({ msg }) =>
    /a message was promised|message accepted/.test(msg),
  )) {
    assert.match(message ?? '', /^[0-9a-f]{32}$/, msg)
    assert.match(String(messageId), /^<.*>$/)
  }
  const about = all.filter(({ msg }) => /^(deliver: an|outcome|feedback: a (?:late|complaint$))/.test(msg))
  assert.ok(about.length >= 10, `${about.length} lines about deliveries`)
  for (const { msg, message, delivery } of about) {
    assert.match(message ?? '', /^[0-9a-f]{32}$/, msg)
    assert.match(delivery ?? '', /^[0-9a-f]{32}$/, msg)
  }
  const outcomes = new Set(
    all.flatMap(({ msg, outcome }) => (msg === 'deliver: an attempt' ? [outcome] : [])),
  )
  for (const outcome of ['delivered', 'bounced', 'deferred']) assert.ok(outcomes.has(outcome), outcome)
})
