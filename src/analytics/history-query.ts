/** A question to history, as a plain value. Names of fields are those of the GraphQL datasets
 *  (observability-metrics-graphql.md). Times are milliseconds since 1970 in UTC; what does not apply is ''. */
export type Dataset = 'sending' | 'routing'

/** An event's time, cut to the start of its interval. `datetime` is cut to the second, as the scalar `Time` has it. */
export type TimeField =
  | 'date'
  | 'datetimeHour'
  | 'datetimeFifteenMinutes'
  | 'datetimeFiveMinutes'
  | 'datetimeMinute'
  | 'datetime'

/** Few values each: what rollups are kept by. `type` is the event's own (`model/event.ts`), `status` the word of the
 *  log. Of routed mail `sendingDomain` is the recipient's domain, which is ours. */
export type WordField =
  | 'status'
  | 'type'
  | 'eventType'
  | 'sendingDomain'
  | 'errorCause'
  | 'action'
  | 'ruleMatched'
  | 'arc'
  | 'dkim'
  | 'dmarc'
  | 'spf'
  | 'zoneTag'

/** 0 or 1. */
export type FlagField = 'isSpam' | 'isNDR' | 'isLastEvent'

/** As many values as there are events. `to` and `envelopeTo` are the same. `messageId` is that of the API: of sent mail
 *  the Message-ID that `send` answered, of routed mail the id of its events. */
export type TextField = 'from' | 'to' | 'envelopeTo' | 'subject' | 'messageId' | 'sessionId' | 'errorDetail'

export type Field = TimeField | WordField | FlagField | TextField

export type FieldValue = string | number

/** A tree of conditions. Times and flags compare with numbers, everything else with strings, by their octets in UTF-8;
 *  addresses are equal whatever the case of their ASCII letters, a message id with or without its brackets and domain.
 *  `like` knows % and _, and \ before either; `contains` ignores the case of ASCII letters. */
export type Filter =
  | { readonly and: readonly Filter[] }
  | { readonly or: readonly Filter[] }
  | {
      readonly field: Field
      readonly is: 'eq' | 'neq' | 'gt' | 'geq' | 'lt' | 'leq'
      readonly value: FieldValue
    }
  | { readonly field: Field; readonly is: 'in' | 'notin'; readonly values: readonly FieldValue[] }
  | { readonly field: Exclude<Field, TimeField | FlagField>; readonly is: 'like'; readonly pattern: string }
  | { readonly field: Exclude<Field, TimeField | FlagField>; readonly is: 'contains'; readonly text: string }

/** Whose events: one account's, all of them or those of some of its zones. */
export interface Scope {
  readonly accountId: string
  readonly zoneIds?: readonly string[]
}

export interface Query {
  readonly scope: Scope
  /** Absent: both. */
  readonly dataset?: Dataset
  readonly filter?: Filter
  /** Rows at most, 1 to 10,000. */
  readonly limit: number
  /** Also what has no status word of its own: mail put off, held, released, complained of, and forwards that were
   *  promised; their `status` is ''. The GraphQL datasets do not have them. */
  readonly steps?: boolean
}

export interface Order<By> {
  readonly by: By
  readonly direction: 'asc' | 'desc'
}

/** Counts of events, by some of their fields. Rows that `order` leaves equal come in the order of all their fields. */
export interface GroupsQuery extends Query {
  readonly by: readonly Field[]
  readonly order?: readonly Order<Field | 'count'>[]
}

export interface Group {
  readonly count: number
  /** The fields that were asked for, and no others. */
  readonly dimensions: Readonly<Partial<Record<Field, FieldValue>>>
}

/** Single events, newest first unless `order` says otherwise. */
export interface EventsQuery extends Query {
  readonly order?: readonly Order<Field>[]
  /** Where the page before ended. Only with the order by time alone. */
  readonly after?: EventPosition
  /** What was found until half of a question's time was over is an answer too, and says how far it `reached`. Only with
   *  the order by time alone. */
  readonly partly?: boolean
}

/** The place of an event in the order of time: two in one millisecond stay apart. */
export interface EventPosition {
  readonly at: number
  readonly seq: number
  readonly ordinal: number
}

/** An event as it concerns one recipient. */
export interface HistoryEvent extends EventPosition {
  readonly eventId: string
  readonly accountId: string
  /** '' where the mail belonged to no zone. */
  readonly zoneTag: string
  readonly dataset: Dataset
  readonly status: string
  readonly type: string
  readonly eventType: string
  readonly sendingDomain: string
  readonly errorCause: string
  readonly action: string
  readonly ruleMatched: string
  readonly arc: string
  readonly dkim: string
  readonly dmarc: string
  readonly spf: string
  readonly isSpam: number
  readonly isNDR: number
  readonly isLastEvent: number
  readonly from: string
  readonly to: string
  readonly subject: string
  readonly messageId: string
  /** As the message's header has it; '' where it has none, or is not known. */
  readonly headerMessageId: string
  readonly sessionId: string
  readonly errorDetail: string
  /** The id that a timeline is asked for by; '' for a request that was refused before there was a message. */
  readonly message: string
  readonly deliveryId: string
}

/** `reached`: it was ended for its time, and what follows that position was not looked at (`EventsQuery.partly`).
 *  `too-slow`: it was ended after so long; a shorter range or a simpler filter may be answered. `busy`: it was not looked
 *  into at all, since too many questions of the same account wait; the same may be answered a little later. */
export type Answer<Row> =
  | { readonly kind: 'answer'; readonly rows: readonly Row[]; readonly reached?: EventPosition }
  | { readonly kind: 'too-slow'; readonly limitMs: number }
  | { readonly kind: 'busy' }
