import type { Dataset, Field } from '../history-query.ts'

/** The nodes of data, as observability-metrics-graphql.md has them: what the schema is built from and queries are read by. */
export interface DatasetNode {
  readonly name: string
  readonly about: string
  readonly dataset: Dataset
  /** Counts of events by their dimensions, or the events themselves. */
  readonly kind: 'groups' | 'events'
  readonly fields: readonly NodeField[]
}

/** Everything that history keeps of an event but its own type, which is the log's. */
export type NodeField = Exclude<Field, 'type'>

export type FieldType = 'Date' | 'Time' | 'string' | 'uint8'

interface Described {
  readonly type: FieldType
  readonly about: string
}

export const FIELDS: Readonly<Record<NodeField, Described>> = {
  date: { type: 'Date', about: 'Day of the event, in UTC' },
  datetime: { type: 'Time', about: 'Time of the event, to the second' },
  datetimeMinute: { type: 'Time', about: 'Time of the event, cut to the minute' },
  datetimeFiveMinutes: { type: 'Time', about: 'Time of the event, cut to five minutes' },
  datetimeFifteenMinutes: { type: 'Time', about: 'Time of the event, cut to fifteen minutes' },
  datetimeHour: { type: 'Time', about: 'Time of the event, cut to the hour' },
  status: { type: 'string', about: 'What became of the email by this event' },
  eventType: { type: 'string', about: 'Origin of the email: incoming, forward, reply, newEmail' },
  sendingDomain: { type: 'string', about: 'The domain that the email was sent from' },
  envelopeTo: { type: 'string', about: 'Envelope address of the recipient' },
  errorCause: { type: 'string', about: 'Why it failed; empty where it did not' },
  action: { type: 'string', about: 'What the routing rule did' },
  ruleMatched: { type: 'string', about: 'Id of the routing rule that took the email; empty where none did' },
  arc: { type: 'string', about: 'ARC result' },
  dkim: { type: 'string', about: 'DKIM result' },
  dmarc: { type: 'string', about: 'DMARC result' },
  spf: { type: 'string', about: 'SPF result' },
  isSpam: { type: 'uint8', about: '1 where the email was flagged as spam' },
  isNDR: { type: 'uint8', about: '1 where the email is a non-delivery report' },
  isLastEvent: { type: 'uint8', about: '1 where nothing later is known of this email and recipient' },
  from: { type: 'string', about: 'Address of the sender' },
  to: { type: 'string', about: 'Address of the recipient' },
  subject: { type: 'string', about: 'Subject of the email' },
  messageId: { type: 'string', about: 'Id of the message' },
  sessionId: { type: 'string', about: 'Id of the session that brought it' },
  errorDetail: { type: 'string', about: 'What the other side, or this service, said of the failure' },
  zoneTag: { type: 'string', about: 'Id of the zone; empty where the zone is gone' },
}

const TIMES = [
  ...(['date', 'datetime', 'datetimeMinute', 'datetimeFiveMinutes', 'datetimeFifteenMinutes'] as const),
  'datetimeHour',
] as const
const AUTHENTICATION = ['arc', 'dkim', 'dmarc', 'spf', 'isSpam', 'isNDR', 'isLastEvent'] as const
const SENDING: readonly NodeField[] = [
  ...TIMES,
  ...(['status', 'eventType', 'sendingDomain', 'envelopeTo', 'errorCause'] as const),
  ...AUTHENTICATION,
]
const ROUTING: readonly NodeField[] = [
  ...TIMES,
  ...(['status', 'eventType', 'action', 'ruleMatched'] as const),
  ...AUTHENTICATION,
]
const OF_EVENTS: readonly NodeField[] = ['from', 'to', 'subject', 'messageId', 'sessionId', 'errorDetail']

const DATASETS: readonly DatasetNode[] = [
  {
    name: 'emailSendingAdaptiveGroups',
    about: 'Counts of sending events, by their dimensions',
    ...{ dataset: 'sending', kind: 'groups', fields: SENDING },
  },
  {
    name: 'emailSendingAdaptive',
    about: 'Sending events, one for each recipient',
    ...{ dataset: 'sending', kind: 'events', fields: [...SENDING, ...OF_EVENTS] },
  },
  {
    name: 'emailRoutingAdaptiveGroups',
    about: 'Counts of routing events, by their dimensions',
    ...{ dataset: 'routing', kind: 'groups', fields: ROUTING },
  },
  {
    name: 'emailRoutingAdaptive',
    about: 'Routing events, one for each recipient',
    ...{ dataset: 'routing', kind: 'events', fields: [...ROUTING, ...OF_EVENTS] },
  },
]

/** What is asked about: a zone, or an account with all of its zones, which tells them apart by `zoneTag`. */
export type NodeScope = 'zone' | 'account'

export function datasetsOf(scope: NodeScope): readonly DatasetNode[] {
  return scope === 'zone'
    ? DATASETS
    : DATASETS.map((node) => ({ ...node, fields: [...node.fields, 'zoneTag'] }))
}
