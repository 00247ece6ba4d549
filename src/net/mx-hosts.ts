import type { Resolver } from './resolver.ts'

/** The hosts that take a domain's mail as DNS has them now, in lower case: its MX, or itself where it has none (RFC 5321
 *  §5.1). None where DNS says so, or does not answer. */
export async function mxHosts(resolver: Pick<Resolver, 'mx'>, domain: string): Promise<readonly string[]> {
  const answer = await resolver.mx(domain)
  if (answer.kind === 'no-data') return [domain]
  if (answer.kind !== 'found') return []
  return answer.records.map(({ exchange }) => exchange.toLowerCase()).filter((host) => host !== '')
}
