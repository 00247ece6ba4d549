/** What workerd counts as public and we do not (`net/private-address.ts` says why of each): a Worker's `fetch()` does
 *  not get there. */
export const CLOSED_NETWORKS: readonly string[] = [
  '0.0.0.0/8',
  '100.64.0.0/10',
  '168.63.129.16/32',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  // RFC 4291 §2.4: whatever lies outside 2000::/3 is no global unicast. NAT64 is in it.
  '::/3',
  '4000::/2',
  '8000::/1',
]
