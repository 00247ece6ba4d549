import type { Write } from '#store/store.ts'
import type { MailService } from './onboarding-records.ts'
import type { Zone } from './zones.ts'

/** A change to a zone's mail, as the audit log and the events tell it. */
export interface DomainChange {
  readonly accountId: string
  /** `resource.verb`. */
  readonly action:
    | 'sending_domain.onboard'
    | 'sending_domain.remove'
    | 'sending_domain.update'
    | 'sending_domain.verified'
    | 'routing.enable'
    | 'routing.disable'
    | 'routing.unlock'
    | 'routing.update'
    | 'routing.verified'
    | 'mta_sts.update'
    | 'mta_sts.end'
    | 'dns.drifted'
    | 'dns.restored'
    | 'dkim.rotate'
    | 'dkim.switch'
    | 'dkim.retire'
  /** As the API names it. */
  readonly resource: { readonly type: 'sending_domain' | 'routing'; readonly id: string }
  /** Absent where it is about the zone's settings. */
  readonly domainId?: string
  readonly zone: string
  readonly before?: Shown
  readonly after?: Shown
  /** Milliseconds since 1970. */
  readonly at: number
}

/** The parts of a thing that changed, as the API names them. */
export interface Shown {
  readonly name?: string
  readonly problems?: readonly string[]
  readonly [field: string]: unknown
}

/** Which thing of the API a domain is for a service: the routing settings of the zone's own name are the zone's. */
export function resourceOf(
  mail: MailService,
  zone: Zone,
  { id, name }: { readonly id: string; readonly name: string },
): Pick<DomainChange, 'resource' | 'domainId'> {
  const resource =
    mail === 'sending'
      ? { type: 'sending_domain' as const, id }
      : { type: 'routing' as const, id: name === zone.name ? zone.id : id }
  return { resource, domainId: id }
}

/** What belongs into the commit of a change because somebody has to be told of it. */
export type RecordChange = (change: DomainChange) => readonly Write[]
