import { Readable } from 'node:stream'
import type { HostServices } from '#workers/runtime/host-services.ts'

const PATH = '/.well-known/mta-sts.txt'

/** The service's MTA-STS policy for Workers that pass it on at a customer's host (RFC 8461 §3.3): public DNS does not
 *  know the names of a development instance. */
export function ownPolicy(
  host: string,
  policyAt: (host: string) => Promise<string | undefined>,
): NonNullable<HostServices['ownHosts']> {
  return {
    names: [host],
    async fetch({ url }) {
      const policy = new URL(url).pathname === PATH ? await policyAt(host) : undefined
      const body = Readable.from([Buffer.from(policy ?? 'There is no policy here.\n')])
      const headers = [['content-type', 'text/plain']] as const
      const status = policy === undefined ? 404 : 200
      return { kind: 'answered', response: { status, statusText: '', headers, body } }
    },
  }
}
