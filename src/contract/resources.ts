import { accountDomainOperations } from './account-domains.ts'
import { accountsOperations } from './accounts.ts'
import { activityOperations } from './activity.ts'
import { addressOperations } from './addresses.ts'
import { analyticsEngineOperations } from './analytics-engine.ts'
import { auditLogsOperations } from './audit-logs.ts'
import { deliverabilityOperations } from './deliverability.ts'
import { dnsRecordOperations } from './dns-records.ts'
import { emailZoneOperations } from './email-zones.ts'
import { eventSubscriptionOperations } from './event-subscriptions.ts'
import { graphqlOperations } from './graphql.ts'
import { kvOperations } from './kv.ts'
import { memberOperations } from './members.ts'
import { messagePreviewOperations } from './message-preview.ts'
import { messageOperations } from './messages.ts'
import { mtaStsOperations } from './mta-sts.ts'
import type { Operation } from './operation.ts'
import { operatorOperations } from './operator.ts'
import { operatorQuotaOperations } from './operator-quota.ts'
import { operatorUserOperations } from './operator-users.ts'
import { queueOperations } from './queues.ts'
import { routingSettingsOperations } from './routing-settings.ts'
import { ruleOperations } from './rules.ts'
import { sendingOperations } from './sending.ts'
import { sendingSubdomainOperations } from './sending-subdomains.ts'
import { serviceDomainOperations } from './service-domain.ts'
import { smarthostOperations } from './smarthost.ts'
import { suppressionOperations } from './suppressions.ts'
import { tokensOperations } from './tokens.ts'
import { webhookOperations } from './webhooks.ts'
import { workerOperations } from './workers.ts'
import { workerPlaceOperations } from './workers-places.ts'
import { workerTailOperations } from './workers-tails.ts'
import { workerTestOperations } from './workers-tests.ts'
import { zoneOperations } from './zones.ts'

/** Operations about one kind of thing. */
export interface Resource {
  readonly name: string
  readonly about: string
  readonly operations: readonly Operation[]
}

/** The whole API, in the order in which somebody who reads about it wants it. What is not in here is not served. */
export const RESOURCES: readonly Resource[] = [
  { name: 'Sending', about: 'Sending messages.', operations: sendingOperations },
  {
    name: 'Messages',
    about: 'What became of messages, each recipient by itself.',
    operations: [...messageOperations, ...messagePreviewOperations],
  },
  {
    name: 'Activity log',
    about: 'What happened to mail, sent and received, each recipient by itself.',
    operations: activityOperations,
  },
  {
    name: 'Suppressions',
    about: 'Who is not mailed, why, and until when.',
    operations: suppressionOperations,
  },
  { name: 'Zones', about: 'The domains of an account, proven or not.', operations: zoneOperations },
  { name: 'DNS records', about: 'What a zone says in DNS.', operations: dnsRecordOperations },
  {
    name: 'Sending domains',
    about: 'The domains of a zone that send, their records and their DKIM keys.',
    operations: [...sendingSubdomainOperations, ...accountDomainOperations],
  },
  {
    name: 'Routing',
    about: 'Whether a zone takes mail, and the records that it needs for that.',
    operations: [...routingSettingsOperations, ...mtaStsOperations],
  },
  {
    name: 'Routing rules',
    about: 'What becomes of the mail that comes in.',
    operations: ruleOperations,
  },
  {
    name: 'Destination addresses',
    about: 'Where mail may be forwarded to, once the owner of the address agreed.',
    operations: addressOperations,
  },
  {
    name: 'Zones and limits of an account',
    about: 'The zones of an account with their state in both services, and how much the account may send.',
    operations: emailZoneOperations,
  },
  {
    name: 'Deliverability and usage',
    about: 'How wanted the mail of each domain is, and to how many an account sent.',
    operations: deliverabilityOperations,
  },
  {
    name: 'Smarthost',
    about: 'A relay that takes the mail of an account, or of one of its domains.',
    operations: smarthostOperations,
  },
  {
    name: 'Workers',
    about:
      'Code of customers that mail passes through: versions, deployments, secrets, and a message to try it with.',
    operations: [...workerOperations, ...workerTestOperations],
  },
  {
    name: 'Routes of Workers',
    about: 'Where Workers are reached, and when they run by themselves.',
    operations: workerPlaceOperations,
  },
  {
    name: 'Tails of Workers',
    about: 'What Workers log, while it happens.',
    operations: workerTailOperations,
  },
  { name: 'Workers KV', about: 'Values under keys, which Workers read and write.', operations: kvOperations },
  {
    name: 'Queues',
    about: 'Messages that Workers send, until another Worker has taken them.',
    operations: queueOperations,
  },
  {
    name: 'Event subscriptions',
    about: 'Queues that are told what happens to mail.',
    operations: eventSubscriptionOperations,
  },
  {
    name: 'Webhooks',
    about: 'HTTPS addresses that are told what happens to mail, signed, and tried for days.',
    operations: webhookOperations,
  },
  {
    name: 'GraphQL',
    about: 'What became of mail, counted or event by event.',
    operations: graphqlOperations,
  },
  {
    name: 'Analytics Engine',
    about: 'What Workers counted.',
    operations: analyticsEngineOperations,
  },
  {
    name: 'Accounts and users',
    about: 'Who asks, and in which accounts.',
    operations: accountsOperations,
  },
  {
    name: 'API tokens',
    about: 'What may be done with the API, where and by whom.',
    operations: tokensOperations,
  },
  {
    name: 'Members',
    about: 'Who may sign in and act in an account, with which role.',
    operations: memberOperations,
  },
  { name: 'Audit log', about: 'Who changed what, when and from where.', operations: auditLogsOperations },
]

/** What whoever runs the installation has besides, below /operator/v1. */
export const OPERATOR_RESOURCES: readonly Resource[] = [
  {
    name: 'Queue',
    about: 'Deliveries that are not settled yet, of all accounts, and the destinations that rest.',
    operations: operatorOperations,
  },
  {
    name: 'Quotas',
    about: 'How much accounts may send in a day.',
    operations: operatorQuotaOperations,
  },
  {
    name: 'Users',
    about: 'People who sign in to the dashboard.',
    operations: operatorUserOperations,
  },
  {
    name: 'Service domain',
    about: "Whether the service's own names say what customers' mail depends on.",
    operations: serviceDomainOperations,
  },
]
