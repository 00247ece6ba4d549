import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { type GuardedFetch, openGuardedFetch } from '#net/guarded-fetch.ts'
import type { TestAuthority } from './test-authority.ts'

/** The web server of a recipient's domain, with its policy. */
export interface PolicyServer {
  /** The requests that came in so far, as `host path`. */
  readonly requests: string[]
  /** What it answers from now on; `undefined`: nothing at all. */
  answer: { readonly status?: number; readonly type?: string; readonly body: string } | undefined
  /** Goes to this server for port 443 of the domain's policy host, with every check of the real one. */
  readonly fetch: GuardedFetch
  close(): Promise<void>
}

/** Starts the server of `mta-sts.<domain>`, with a certificate for `names` of the authority that `fetch` trusts. */
export async function startPolicyServer(
  t: TestContext,
  authority: TestAuthority,
  { domain, names = [`mta-sts.${domain}`] }: { readonly domain: string; readonly names?: readonly string[] },
): Promise<PolicyServer> {
  const host = `mta-sts.${domain}`
  const requests: string[] = []
  const server = createServer(await authority.issue(names), (request, response) => {
    requests.push(`${request.headers.host?.replace(/:.*/, '')} ${request.url}`)
    const { answer } = policies
    if (answer === undefined) return
    response.writeHead(answer.status ?? 200, { 'content-type': answer.type ?? 'text/plain' }).end(answer.body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const guarded = openGuardedFetch({
    resolver: {
      addresses: async (name) =>
        name === host
          ? { kind: 'found', records: [{ address: '127.0.0.1', family: 4 }] }
          : { kind: 'no-such-name' },
    },
    allow: (name) => name === host,
    ca: authority.certificate,
  })
  const policies: PolicyServer = {
    requests,
    answer: { status: 404, body: '' },
    fetch: (url, request) => {
      const there = new URL(url)
      there.port = String(port)
      return guarded(there.href, request)
    },
    async close() {
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  t.after(() => policies.close())
  return policies
}
