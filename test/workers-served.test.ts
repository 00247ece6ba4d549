import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { deployWorker, workerForm } from '#test/deploy-worker.ts'
import { fetchAtHost, type HostRequest } from '#test/fetch-at-host.ts'
import { type Instance, startInstance } from '#test/instance.ts'

/** Workers over HTTP: at host names of their own, on routes and custom domains, and what they reach from there. */
let instance: Instance
const at = (url: string, request?: HostRequest) => fetchAtHost(instance.dev.workers.port, url, request)

async function api(method: string, path: string, body?: unknown) {
  const { dev } = instance
  const response = await fetch(`${dev.api}${path}`, {
    method,
    headers: { authorization: `Bearer ${dev.api_token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const answer = JSON.parse(await response.text())
  return { status: response.status, code: answer.errors[0]?.code, message: answer.errors[0]?.message }
}

const scripts = (name: string) => `/accounts/${instance.dev.account_id}/workers/scripts/${name}`

/** Deploys it, with a host name of its own. */
async function serve(name: string, code: string, bindings: readonly object[] = []) {
  const metadata = { bindings, compatibility_date: '2026-10-01' }
  await deployWorker(instance, name, { metadata, modules: { 'index.js': code } })
  assert.equal((await api('POST', `${scripts(name)}/subdomain`, { enabled: true })).status, 200)
}

async function addresses(host: string): Promise<readonly string[]> {
  const resolver = new Resolver()
  resolver.setServers([`${instance.dev.dns.host}:${instance.dev.dns.port}`])
  return resolver.resolve4(host).catch(() => [])
}

/** How many processes of workerd the instance has. */
async function processes(): Promise<number> {
  const folder = join(instance.directory, 'workers')
  const pids = (await readdir(folder)).map((name) =>
    readFile(join(folder, name, 'pid'), 'utf8').catch(() => ''),
  )
  return (await Promise.all(pids)).filter((pid) => pid !== '').length
}

before(async () => {
  instance = await startInstance({ POSTHORN_WORKERS_CPU_MS: '500' })
})
after(async () => instance[Symbol.asyncDispose]())

test('a Worker answers at its own host; another version takes its place', async () => {
  await serve(
    'greets',
    `export default { fetch: (request) => new Response('hello ' + new URL(request.url).host) }`,
  )
  const { host, port } = instance.dev.workers
  assert.equal((await instance.askWorker('greets', '/')).text, `hello greets.${host}:${port}`)
  await serve('greets', `export default { fetch: () => new Response('hello again') }`)
  assert.equal((await instance.askWorker('greets', '/')).text, 'hello again')
})

test('large bodies go through, in and out', async () => {
  await serve('echoes', `export default { fetch: (request) => new Response(request.body) }`)
  const body = Buffer.alloc(26 * 1_048_576, 'posthorn')
  const answer = await instance.askWorker('echoes', '/', { body })
  assert.ok(answer.body.equals(body))
})

test('what a Worker throws is on the page of whoever develops it', async () => {
  await serve('throws', `export default { async fetch() { null.name } }`)
  const { status, text } = await instance.askWorker('throws', '/')
  assert.equal(status, 500)
  assert.match(text, /TypeError: Cannot read properties of null \(reading 'name'\)\n\s+at .*index\.js:1:/)
})

test('a Worker that loops is ended, and others go on', async () => {
  await serve('loops', `export default { fetch() { for (;;); } }`)
  const loops = instance.askWorker('loops', '/')
  assert.equal((await instance.askWorker('greets', '/')).status, 200)
  const { status, text } = await loops
  assert.deepEqual([status, text], [503, 'The Worker exceeded its CPU time limit.\n'])
})

test('routes and custom domains lead to Workers, and the zone has the domain in it', async () => {
  const { zone, zone_id: zoneId } = instance.dev
  await serve(
    'site',
    `export default { fetch: (request) => new Response('site ' + new URL(request.url).pathname) }`,
  )
  await api('POST', `/zones/${zoneId}/workers/routes`, { pattern: `${zone}/site/*`, script: 'site' })
  assert.equal((await at(`http://${zone}/site/a`)).text, 'site /site/a')
  assert.equal((await at(`http://${zone}/other`)).status, 404)
  assert.deepEqual(await addresses(`app.${zone}`), [])
  const origins = [{ hostname: `app.${zone}` }]
  assert.equal((await api('PUT', `${scripts('site')}/domains/records`, { origins })).status, 200)
  assert.equal((await at(`http://app.${zone}/b`)).text, 'site /b')
  assert.deepEqual(await addresses(`app.${zone}`), ['127.0.0.1'])
  const own = { type: 'A', name: 'own', content: '192.0.2.1' }
  await api('POST', `/zones/${zoneId}/dns_records`, own)
  await api('PUT', `${scripts('site')}/domains/records`, { origins: [{ hostname: `own.${zone}` }] })
  assert.deepEqual(await addresses(`own.${zone}`), ['192.0.2.1'])
})

test("a Worker on a custom domain passes the service's MTA-STS policy on", async () => {
  const { zone } = instance.dev
  await serve(
    'mta-sts',
    `export default { async fetch(request) {
       if (new URL(request.url).pathname !== '/.well-known/mta-sts.txt') return new Response(null, { status: 404 })
       return fetch('https://mta-sts.mx.posthorn.test/.well-known/mta-sts.txt')
     } }`,
  )
  await api('PUT', `${scripts('mta-sts')}/domains/records`, { origins: [{ hostname: `mta-sts.${zone}` }] })
  const { status, text } = await at(`http://mta-sts.${zone}/.well-known/mta-sts.txt`)
  assert.deepEqual([status, text.split('\r\n')[0]], [200, 'version: STSv1'])
  assert.match(text, /^mx: \*\.mx\.posthorn\.test\r$/m)
})

test('Workers reach each other by bindings, and neither this machine nor what is behind it', async () => {
  await serve(
    'calls',
    `export default { async fetch(request, env) {
       const { port } = new URL(request.url)
       const own = await env.GREETS.fetch('http://greets/')
       const machine = await fetch('http://127.0.0.1:' + port + '/').catch(() => ({ status: 'refused' }))
       return new Response([await own.text(), machine.status].join(', '))
     } }`,
    [{ type: 'service', name: 'GREETS', service: 'greets' }],
  )
  assert.equal((await instance.askWorker('calls', '/')).text, 'hello again, refused')
})

test('one that calls itself without end harms nobody else', async () => {
  await serve('self', `export default { fetch: () => new Response('first') }`)
  await serve('self', `export default { fetch: (_, env) => env.SELF.fetch('http://self/') }`, [
    { type: 'service', name: 'SELF', service: 'self' },
  ])
  assert.equal((await instance.askWorker('self', '/')).status, 503)
  assert.equal((await instance.askWorker('greets', '/')).status, 200)
})

test('an upload that does not start is refused with the reason, and the version before runs on', async () => {
  const { dev } = instance
  const broken = workerForm({
    metadata: { compatibility_date: '2026-10-01' },
    modules: { 'index.js': 'export default { fetch() { return new Response(nothing) }' },
  })
  const response = await fetch(`${dev.api}${scripts('greets')}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${dev.api_token}` },
    body: broken,
  })
  const [error] = JSON.parse(await response.text()).errors
  assert.deepEqual([response.status, error.code], [400, 10021])
  assert.match(error.message, /SyntaxError/)
  assert.equal((await instance.askWorker('greets', '/')).text, 'hello again')
})

test('a Worker that is deleted is gone, with its process', async () => {
  await serve('leaves', `export default { fetch: () => new Response('here') }`)
  assert.equal((await instance.askWorker('leaves', '/')).status, 200)
  const many = await processes()
  assert.equal((await api('DELETE', scripts('leaves'))).status, 200)
  assert.equal((await instance.askWorker('leaves', '/')).status, 404)
  while ((await processes()) >= many) await new Promise((resolve) => setTimeout(resolve, 20))
})
