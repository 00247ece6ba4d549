import { api, type Served } from './routing-instance.ts'

/** A domain whose SPF record authorises loopback, and which has no DMARC record: what it sends is let in, and no more
 *  than that is proven. */
export async function spfSender(instance: Served, domain: string): Promise<void> {
  const { account_id: id } = instance.dev
  const zone = await api<{ id: string }>(instance, 'POST', '/zones', { name: domain, account: { id } })
  await api(instance, 'POST', `/zones/${zone.id}/dns_records`, {
    ...{ type: 'TXT', name: domain, content: 'v=spf1 ip4:127.0.0.0/8 ip6:::1 -all' },
  })
}
