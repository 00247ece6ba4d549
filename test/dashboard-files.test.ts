import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { type Instance, startInstance } from '#test/instance.ts'

/** The dashboard's own files: what a browser may do with them, and that nothing else is among them. */
const folder = mkdtempSync(join(tmpdir(), 'posthorn-dashboard-'))
const dist = join(folder, 'dist')
const script = `console.log(${JSON.stringify('posthorn '.repeat(1000))})\n`
let instance: Instance

before(async () => {
  mkdirSync(join(dist, 'assets'), { recursive: true })
  writeFileSync(join(folder, 'secret.txt'), 'nobody reads this')
  writeFileSync(join(dist, 'assets/index-AbCd_-12.js'), script)
  writeFileSync(join(dist, 'posthorn.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  instance = await startInstance({ POSTHORN_DASHBOARD: dist })
})
after(async () => {
  await instance[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

/** As it is on the wire. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET') {
  const port = Number(new URL(instance.dev.dashboard).port)
  return new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>(
    (resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks),
          }),
        )
      })
      asked.on('error', reject)
      asked.end()
    },
  )
}
const html = { accept: 'text/html,application/xhtml+xml' }

test('without a build the page says how to make one, and a build is served once it is there', async () => {
  const none = await get('/', html)
  assert.equal(none.status, 503)
  assert.match(none.body.toString(), /npm run build/)
  writeFileSync(join(dist, 'index.html'), '<!doctype html><title>Posthorn</title>')
  const built = await get('/', html)
  assert.equal(built.status, 200)
  assert.match(built.body.toString(), /<title>Posthorn/)
})

test('nobody frames the page, and it runs and loads only what is the server’s own', async () => {
  for (const path of ['/', '/sending/domains?x=1', '/invitations/abc', '/reset-password']) {
    const { status, headers } = await get(path, html)
    assert.equal(status, 200, path)
    const csp = String(headers['content-security-policy']).split('; ')
    for (const directive of [
      ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"],
      ...["frame-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"],
    ])
      assert.ok(csp.includes(directive), directive)
    assert.equal(
      csp.filter((directive) => directive.includes('unsafe')).join(),
      "style-src-attr 'unsafe-inline'",
    )
    assert.equal(headers['x-frame-options'], 'DENY')
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin')
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['cache-control'], 'no-cache')
    assert.equal(headers['content-type'], 'text/html; charset=utf-8')
  }
})

test('assets: kept for a year, compressed as the browser takes it, and not sent twice', async () => {
  const path = '/assets/index-AbCd_-12.js'
  const plain = await get(path)
  assert.equal(plain.headers['cache-control'], 'public, max-age=31536000, immutable')
  assert.equal(plain.headers['content-type'], 'text/javascript; charset=utf-8')
  assert.equal(plain.headers['vary'], 'accept-encoding')
  assert.equal(plain.body.toString(), script)
  const br = await get(path, { 'accept-encoding': 'gzip, deflate, br, zstd' })
  assert.equal(br.headers['content-encoding'], 'br')
  assert.equal(brotliDecompressSync(br.body).toString(), script)
  const gzip = await get(path, { 'accept-encoding': 'gzip, br;q=0' })
  assert.equal(gzip.headers['content-encoding'], 'gzip')
  assert.equal(gunzipSync(gzip.body).toString(), script)
  const etag = String(br.headers['etag'])
  const known = await get(path, { 'accept-encoding': 'br', 'if-none-match': `"other", ${etag}` })
  assert.deepEqual([known.status, known.body.length], [304, 0])
  assert.equal((await get(path, { 'if-none-match': etag })).status, 200)
  const head = await get(path, {}, 'HEAD')
  assert.deepEqual([head.status, head.body.length], [200, 0])
  assert.equal((await get('/posthorn.svg')).headers['cache-control'], 'no-cache')
})

test('what belongs to an API, and what is no page, is never answered with the page', async () => {
  for (const path of [
    ...['/client/v4/nothing', '/client', '/operator/v1/nothing', '/session/v1/nothing', '/api/v1/nothing'],
    ...['/api', '/cdn-cgi/nothing', '/metrics/nothing', '/tails/x', '/docs/nothing'],
    ...['/assets/index-00000000.js', '/assets/'],
    ...['/%63lient/v4/nothing', '/client%2fv4/nothing', '/CLIENT/v4/zones', '//client/v4/zones'],
    ...['/x/../client/v4/nothing', '/./operator/x', '/%2e/session/x', '/client%5cv4', '/client\\v4'],
  ]) {
    const { status, headers } = await get(path, html)
    assert.equal(status, path.startsWith('/operator') ? status : 404, path)
    assert.match(String(headers['content-type']), /^application\/json/, path)
  }
  assert.equal((await get('/sending', { accept: '*/*' })).status, 404)
  for (const path of ['/%ff', '/sending/%E0%A4', '/%', '/a?x=%ff'])
    assert.equal((await get(path, html)).status < 500, true, path)
  assert.equal((await get('/sending', html, 'POST')).status, 404)
})

test('nothing outside the folder is read', async () => {
  symlinkSync(join(folder, 'secret.txt'), join(folder, 'link.txt'))
  for (const path of [
    ...['/../secret.txt', '/assets/../../secret.txt', '/%2e%2e/secret.txt', '/..%2fsecret.txt'],
    ...['/assets/..%5c..%5csecret.txt', '//secret.txt', '/./../secret.txt', '/.hidden.txt', '/assets%00.js'],
  ]) {
    const { body } = await get(path)
    assert.doesNotMatch(body.toString(), /nobody reads/, path)
  }
})
