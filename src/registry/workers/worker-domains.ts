import { newId } from '#store/id.ts'
import { statement } from '#store/store.ts'
import type { PlaceFault } from './worker-routes.ts'
import { workerId } from './worker-row.ts'
import type { RecordPlaces, WorkersWorld } from './workers.ts'

/** A host name that is a Worker's as a whole. */
export interface WorkerDomain {
  readonly id: string
  readonly zoneId: string
  readonly zoneName: string
  readonly hostname: string
  readonly script: string
}

interface DomainRow {
  readonly id: string
  readonly zone_id: string
  readonly zone_name: string
  readonly hostname: string
  readonly script: string
}

const SELECT_DOMAINS = `select domain.id, domain.zone_id, zone.name as zone_name, domain.hostname, worker.name as script
  from worker_domain domain join worker on worker.id = domain.worker_id join zone on zone.id = domain.zone_id`

const domainsOfAccount = statement<DomainRow>(
  'worker-domain.of-account',
  `${SELECT_DOMAINS} where domain.account_id = $1 order by domain.hostname, domain.id`,
)

const domainById = statement<DomainRow>(
  'worker-domain.by-id',
  `${SELECT_DOMAINS} where domain.id = $1 and domain.account_id = $2`,
)

// It stays where it is under the id that it has; another Worker gives it up where the owner says so.
const saveDomain = statement<{ readonly id: string }>(
  'worker-domain.save',
  `insert into worker_domain (id, account_id, zone_id, worker_id, hostname, created_at)
   values ($1, $2, $3, $4, $5, $6)
   on conflict (zone_id, hostname) do update set worker_id = excluded.worker_id
   where worker_domain.account_id = excluded.account_id
     and (worker_domain.worker_id = excluded.worker_id or cast($7 as integer) = 1)
   returning id`,
)

const deleteDomain = statement(
  'worker-domain.delete',
  'delete from worker_domain where id = $1 and account_id = $2',
)

/** Host names that are Workers' as a whole. */
export function openWorkerDomains({ store, clock }: WorkersWorld) {
  async function domain(accountId: string, id: string): Promise<WorkerDomain | undefined> {
    const row = await store.get(domainById, [id, accountId])
    return row && domainOf(row)
  }

  const domains = async (accountId: string): Promise<WorkerDomain[]> =>
    (await store.all(domainsOfAccount, [accountId])).map(domainOf)

  return {
    domain,
    domains,

    /** The host names that are to be one Worker's; `whole` takes those away that it had besides, `override` takes them
     *  from other Workers of the account. */
    async setDomains(
      { accountId, script }: { readonly accountId: string; readonly script: string },
      {
        wanted,
        whole,
        override,
      }: {
        readonly wanted: readonly Pick<WorkerDomain, 'zoneId' | 'zoneName' | 'hostname'>[]
        readonly whole: boolean
        readonly override: boolean
      },
      record: RecordPlaces<WorkerDomain>,
    ): Promise<readonly WorkerDomain[] | PlaceFault> {
      const worker = await workerId(store, accountId, script)
      if (worker == null) return { kind: 'unknown-worker' }
      const known = await domains(accountId)
      const once = new Map(wanted.map((each) => [`${each.zoneId} ${each.hostname}`, each]))
      const same = (one: Pick<WorkerDomain, 'zoneId' | 'hostname'>) =>
        known.find(({ zoneId, hostname }) => zoneId === one.zoneId && hostname === one.hostname)
      const after = [...once.values()].map((each) => ({ ...each, id: same(each)?.id ?? newId(), script }))
      const before = known.filter((each) => each.script === script || after.some(({ id }) => id === each.id))
      const gone = whole ? before.filter((each) => !after.some(({ id }) => id === each.id)) : []
      const at = clock()
      const committed = await store.commit([
        ...gone.map(({ id }) => ({ statement: deleteDomain, params: [id, accountId] })),
        ...after.map(({ id, zoneId, hostname }) => ({
          ...{ statement: saveDomain, rows: 1 },
          params: [id, accountId, zoneId, worker, hostname, at, override ? 1 : 0],
        })),
        ...record({ before, after }),
      ])
      if (committed.ok) return after
      const taken = (await domains(accountId)).find(
        (each) => each.script !== script && after.some(({ hostname }) => hostname === each.hostname),
      )
      return { kind: 'place-taken', place: taken?.hostname ?? after[0]?.hostname ?? '' }
    },

    async removeDomain(
      accountId: string,
      id: string,
      record: RecordPlaces<WorkerDomain>,
    ): Promise<WorkerDomain | PlaceFault> {
      const before = await domain(accountId, id)
      if (!before) return { kind: 'unknown-place' }
      const committed = await store.commit([
        { statement: deleteDomain, params: [id, accountId], rows: 1 },
        ...record({ before: [before] }),
      ])
      return committed.ok ? before : { kind: 'unknown-place' }
    },
  }
}

export type WorkerDomains = ReturnType<typeof openWorkerDomains>

function domainOf({ id, zone_id: zoneId, zone_name: zoneName, hostname, script }: DomainRow): WorkerDomain {
  return { id, zoneId, zoneName, hostname, script }
}
