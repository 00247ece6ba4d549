import { api, type Served } from './routing-instance.ts'

/** A domain whose SPF record authorises loopback and whose DMARC record asks for rejection, so that mail from it proves
 *  its origin in full; mail to it is in the inbox. */
export async function dmarcSender(instance: Served, domain: string): Promise<void> {
  const { account_id: id } = instance.dev
  const zone = await api<{ id: string }>(instance, 'POST', '/zones', { name: domain, account: { id } })
  const records = [
    { type: 'TXT', name: domain, content: 'v=spf1 ip4:127.0.0.0/8 ip6:::1 -all' },
    { type: 'TXT', name: `_dmarc.${domain}`, content: 'v=DMARC1; p=reject;' },
    { type: 'MX', name: domain, content: 'sandbox.posthorn.test', priority: 10 },
  ]
  for (const record of records) await api(instance, 'POST', `/zones/${zone.id}/dns_records`, record)
}
