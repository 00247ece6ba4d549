import type { Acceptor } from '#outbound/accept/accept.ts'
import type { Foresee } from '#outbound/accept/foresee.ts'
import type { MailSetup } from '#registry/domains/mail-setup.ts'
import type { Quota } from '#registry/quota/quota.ts'
import type { Suppressions } from '#registry/suppressions/suppressions.ts'
import type { AccountDomainsWorld } from './account-domains.ts'
import type { ActivityWorld } from './activity.ts'
import type { AddressesWorld } from './addresses.ts'
import type { AnalyticsEngineWorld } from './analytics-engine.ts'
import type { AuditWorld } from './audit-logs.ts'
import type { DeliverabilityWorld } from './deliverability.ts'
import type { GraphqlRoutesWorld } from './graphql.ts'
import type { KvWorld } from './kv-world.ts'
import type { MembersWorld } from './members.ts'
import type { MessagePreviewWorld } from './message-preview.ts'
import type { MessagesWorld } from './messages-world.ts'
import type { OperatorWorld } from './operator-world.ts'
import type { QueuesWorld } from './queue-body.ts'
import type { RulesWorld } from './rules.ts'
import type { ServedBy } from './serve-operation.ts'
import type { ServiceDomainWorld } from './service-domain.ts'
import type { DashboardWorld } from './session-world.ts'
import type { SmarthostWorld } from './smarthost.ts'
import type { NotifyDoorWorld } from './webhook-world.ts'
import type { WorkersWorld } from './workers-world.ts'
import type { ZonesWorld } from './zones.ts'

/** What the HTTP door's routes work with. */
export interface HttpWorld extends AuditWorld, ServiceDomainWorld {
  readonly acceptor: Acceptor
  readonly allowedHosts: readonly string[]
  readonly sendWaitMs: number
  readonly suppressions: Suppressions
  /** Keeps the cursors of its lists from being made elsewhere. */
  readonly suppressionCursorKey: Uint8Array
  readonly foresee: Foresee
  readonly smarthost: Pick<SmarthostWorld, 'smarthosts' | 'trySmarthost'>
  readonly domains: ZonesWorld['domains'] & WorkersWorld['domains']
  /** Domains in and out of the two services. */
  readonly mailSetup: MailSetup
  readonly quota: Pick<Quota, 'report' | 'adjust' | 'months'>
  readonly reputation: DeliverabilityWorld['reputation'] & AccountDomainsWorld['reputation']
  /** What happened to mail, for the activity log. */
  readonly history: ActivityWorld['history']
  readonly graphql: GraphqlRoutesWorld['graphql']
  /** Who is told of events. */
  readonly notify: NotifyDoorWorld['notify']
  /** Rules and destinations of what comes in, and the mails that ask for proof of these. */
  readonly routing: Omit<AddressesWorld & Pick<RulesWorld, 'rules'>, keyof ServedBy | 'now'>
  /** What becomes of mail: an account's own, and the whole queue. */
  readonly queue: Omit<MessagesWorld & OperatorWorld, 'accounts' | 'log' | 'now'>
  /** Customers' Workers, and the rules that lead to them. */
  readonly scripts: Pick<WorkersWorld, 'workers' | 'workerRules' | 'tails' | 'workerUrl' | 'tryMessage'>
  /** What Workers keep. */
  readonly workersStorage: Pick<KvWorld, 'kv'> &
    Pick<QueuesWorld, 'queues'> &
    Pick<AnalyticsEngineWorld, 'analytics'>
  /** The dashboard, and the sessions of who signed in to it. */
  readonly dashboard: DashboardWorld
  /** Takes messages apart for those who look at them. */
  readonly mailReader: MessagePreviewWorld['mailReader']
  /** How people become members. */
  readonly members: Pick<MembersWorld, 'invitationMail' | 'mailArrives' | 'publicUrl'>
  readonly now: () => number
}
