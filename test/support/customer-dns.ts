import { Resolver } from 'node:dns/promises'
import { api, type Served } from './routing-instance.ts'

export interface CustomerRecord {
  readonly type: string
  /** Whole, or as far as it stands before the zone's; `@` for the zone itself. */
  readonly name: string
  readonly content: string
  readonly priority?: number | undefined
}

/** DNS that somebody keeps by hand: a zone that the instance answers for on the wire, so that what it holds is found. */
export interface CustomerDns {
  /** Out: the record's id. */
  publish(record: CustomerRecord): Promise<string>
  withdraw(id: string): Promise<void>
}

/** Over the zone with that id, which is hosted. A zone below its name that is not hosted has its records there. */
export function customerDns(instance: Served, zoneId: string): CustomerDns {
  const path = `/zones/${zoneId}/dns_records`
  return {
    async publish(record) {
      return (await api<{ id: string }>(instance, 'POST', path, record)).id
    },
    async withdraw(id) {
      await api(instance, 'DELETE', `${path}/${id}`)
    },
  }
}

/** Asks the name servers of the instance over the network. */
export function askNameServers({ dev: { dns } }: Served): Resolver {
  const resolver = new Resolver()
  resolver.setServers([`${dns.host}:${dns.port}`])
  return resolver
}
