import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { authenticate } from 'mailauth'
import type { Arrived } from './arrived.ts'
import type { Instance } from './instance.ts'

/** What somebody else's verifier says of a copy that was sent as the instance's own domain. */
export async function checkSigned(instance: Instance, { raw, returnPath }: Arrived): Promise<void> {
  const dns = new Resolver()
  dns.setServers([`127.0.0.1:${instance.dev.dns.port}`])
  const { dkim, dmarc } = await authenticate(raw, {
    ...{ ip: '127.0.0.1', helo: 'posthorn.test', sender: returnPath, mta: 'verifier.example', strict: true },
    resolver: dns.resolve.bind(dns),
  })
  assert.deepEqual(
    dkim.results.map(({ status, signingDomain }) => [status.result, signingDomain]),
    [['pass', instance.dev.zone]],
  )
  assert.equal(dmarc && dmarc.status.result, 'pass')
}
