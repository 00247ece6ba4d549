import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { Resolver } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { request as httpsRequest } from 'node:https'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { AuditLogBody } from '#contract/audit-logs.ts'
import type { MtaStsBody } from '#contract/mta-sts.ts'
import type { DomainStatusBody } from '#contract/onboarding-records.ts'
import type { ServiceDomainBody } from '#contract/service-domain.ts'
import { openGuardedFetch } from '#net/guarded-fetch.ts'
import { systemResolver } from '#net/resolver.ts'
import { discoverPolicy } from '#outbound/deliver/discover-sts.ts'
import { type Instance, startInstance } from '#test/instance.ts'
import { askOperator } from '#test/operator.ts'

/** MTA-STS of a development instance, as its owner sets it and as a sender finds it. */
let instance: Instance
const SERVICE_HOST = 'mta-sts.mx.posthorn.test'

before(async () => {
  instance = await startInstance()
})
after(async () => instance[Symbol.asyncDispose]())

interface Answered<R> {
  readonly status: number
  readonly result: R
  readonly errors: readonly {
    readonly code: number
    readonly error_chain?: readonly { readonly message: string }[]
    readonly source?: { readonly pointer: string }
  }[]
}

async function call<R>(method: string, path: string, body?: unknown): Promise<Answered<R>> {
  const response = await fetch(`${instance.dev.api}${path}`, {
    method,
    headers: { authorization: `Bearer ${instance.dev.api_token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  // The contract says what each route answers.
  const envelope = (await response.json()) as Omit<Answered<R>, 'status'>
  return { ...envelope, status: response.status }
}

const routing = () => `/zones/${instance.dev.zone_id}/email/routing`
const setPolicy = (body: unknown, query = '') => call<MtaStsBody>('PUT', `${routing()}/mta_sts${query}`, body)
const names = () => {
  const { host, port } = instance.dev.dns
  const resolver = new Resolver()
  resolver.setServers([`${host}:${port}`])
  return resolver
}

/** As a sender asks, apart from the port, and of a customer's host from its certificate. */
function fetchPolicy(host: string): Promise<{ status: number; text: string }> {
  const { host: address, port } = instance.dev.policies
  return new Promise((resolve, reject) => {
    const asked = httpsRequest(
      {
        ...{
          host: address,
          port,
          path: '/.well-known/mta-sts.txt',
          servername: host,
          headers: { host },
          agent: false,
        },
        ca: readFileSync(instance.dev.ca),
        rejectUnauthorized: host === SERVICE_HOST,
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => (text += part))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      },
    )
    asked.on('error', reject).end()
  })
}

test('a sender finds the policy of a zone hosted here, and each change of it', async () => {
  const { zone } = instance.dev
  assert.equal((await call<MtaStsBody>('GET', `${routing()}/mta_sts`)).result.mode, 'off')
  const seen = new Set<string>()
  for (const body of [{ mode: 'testing' }, { mode: 'enforce', max_age: 604_800 }]) {
    const { status, result } = await setPolicy(body)
    assert.equal(status, 200)
    assert.deepEqual(await names().resolveTxt(`_mta-sts.${zone}`), [[`v=STSv1; id=${result.policy_id};`]])
    assert.deepEqual(await names().resolveCname(`mta-sts.${zone}`), [SERVICE_HOST])
    assert.deepEqual(await names().resolve4(`mta-sts.${zone}`), ['127.0.0.1'])
    assert.deepEqual(await fetchPolicy(`mta-sts.${zone}`), { status: 200, text: result.policy })
    assert.deepEqual(result.errors, [])
    seen.add(result.policy_id ?? '')
  }
  assert.equal(seen.size, 2)

  const { result: dns } = await call<DomainStatusBody>('GET', `${routing()}/dns/status`)
  assert.equal(dns.status, 'ready')
  const ours = dns.records.filter(({ name }) => name.includes('mta-sts'))
  assert.deepEqual(
    ours.map(({ type, state, locked }) => [type, state, locked]),
    [
      ['TXT', 'ready', true],
      ['CNAME', 'ready', true],
    ],
  )
  const records = await call<readonly { id: string }[]>(
    'GET',
    `/zones/${instance.dev.zone_id}/dns_records?name=_mta-sts.${zone}`,
  )
  const path = `/zones/${instance.dev.zone_id}/dns_records/${records.result[0]?.id}`
  assert.notEqual((await call('DELETE', path)).status, 200)

  const off = await setPolicy({ mode: 'off' })
  assert.deepEqual([off.result.mode, off.result.max_age], ['none', 86_400])
  assert.ok(Date.parse(off.result.ends ?? '') > Date.now() + 6.9 * 86_400_000)
  assert.match((await fetchPolicy(`mta-sts.${zone}`)).text, /^version: STSv1\r\nmode: none\r\n/)

  const { result: log } = await call<AuditLogBody[]>(
    'GET',
    `/accounts/${instance.dev.account_id}/audit_logs?action.type=mta_sts.update&per_page=50`,
  )
  assert.equal(log.length, 3)
})

test('names that are none of ours, or were never routed, have none', async () => {
  for (const host of ['mta-sts.example.com', instance.dev.zone, `mta-sts.cf-bounce.${instance.dev.zone}`])
    assert.equal((await fetchPolicy(host)).status, 404, host)
  const sub = `news.${instance.dev.zone}`
  const refused = await setPolicy({ mode: 'testing' }, `?subdomain=${sub}`)
  assert.deepEqual([refused.status, refused.errors[0]?.code], [400, 2062])
  await call('POST', `${routing()}/dns`, { name: sub })
  const set = await setPolicy({ mode: 'testing' }, `?subdomain=${sub}`)
  assert.deepEqual([set.status, set.result.name], [200, sub])
  assert.equal((await fetchPolicy(`mta-sts.${sub}`)).text, set.result.policy)
  for (const [body, pointer] of [
    [{ mode: 'on' }, '/mode'],
    [{ mode: 'testing', max_age: 60 }, '/max_age'],
    [{ mode: 'testing', max_age: 31_557_601 }, '/max_age'],
    [{}, '/mode'],
  ] as const) {
    const wrong = await setPolicy(body)
    assert.deepEqual([wrong.status, wrong.errors[0]?.source?.pointer], [400, pointer])
  }
})

test('our own sending side takes the service’s policy, certificate and all', async () => {
  const { dns, policies, ca } = instance.dev
  const resolver = systemResolver({ servers: [`${dns.host}:${dns.port}`] })
  const guarded = openGuardedFetch({ resolver, allow: (host) => host === SERVICE_HOST, ca: readFileSync(ca) })
  const found = await discoverPolicy('mx.posthorn.test', undefined, {
    resolver,
    fetch: (url, request) => guarded(url.replace(SERVICE_HOST, `${SERVICE_HOST}:${policies.port}`), request),
    now: Date.now,
    signal: AbortSignal.timeout(5000),
  })
  assert.ok(found.kind === 'found', JSON.stringify(found))
  assert.deepEqual(found.policy.mx, ['*.mx.posthorn.test'])
  assert.equal(found.policy.expiresAt - found.policy.fetchedAt, 86_400_000)
})

test('the service domain is in order, and whoever runs it is told so', async () => {
  const { status, result } = await askOperator<ServiceDomainBody>(instance, 'GET', '/service-domain')
  assert.deepEqual([status, result.ready, result.domain], [200, true, 'posthorn.test'])
  assert.ok(result.items.some(({ subject, state }) => subject === 'policy' && state === 'ready'))
  const again = await askOperator<ServiceDomainBody>(instance, 'POST', '/service-domain/check')
  assert.ok(again.result.checked_at >= result.checked_at)
  assert.equal(
    (await askOperator(instance, 'GET', '/service-domain', { headers: { authorization: 'Bearer x' } }))
      .status,
    401,
  )
  assert.doesNotMatch(instance.log(), /service domain/)

  const { code, out } = await posthorn('check', '--no-json')
  assert.equal(code, 0)
  assert.match(out, /^The service domain posthorn\.test is in order \(now\)\.\n\nSTATE {2}WHAT /)
  const machine = await posthorn('check', '--last')
  assert.equal(JSON.parse(machine.out).ready, true)
})

test('what is wrong with it is in the log at start, in the API, and in the exit code', async () => {
  await using wrong = await startInstance({ POSTHORN_EHLO_NAME: 'out.example.invalid' })
  const { result } = await askOperator<ServiceDomainBody>(wrong, 'POST', '/service-domain/check')
  assert.deepEqual(
    result.items.filter(({ state }) => state !== 'ready').map(({ subject, state }) => [subject, state]),
    [['helo', 'missing']],
  )
  assert.equal(wrong.log().match(/service domain: Publish an address of out\.example\.invalid/g)?.length, 1)
  const { code, out } = await posthornOf(wrong, 'check', '--no-json')
  assert.equal(code, 1)
  assert.match(out, /is not in order[^]*missing {2}helo[^]*\n- Publish an address of out\.example\.invalid/)
})

const posthorn = (...args: string[]) => posthornOf(instance, ...args)

function posthornOf({ directory }: Instance, ...args: string[]): Promise<{ code: number; out: string }> {
  const command = join(import.meta.dirname, '../cli/posthorn.ts')
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], POSTHORN_DATA: directory }
    const child = execFile(process.execPath, [command, 'service', ...args], { env }, (error, out) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out }),
    )
    child.stdin?.end()
  })
}
