import type { History } from '#analytics/history.ts'
import type { EventsQuery, Field, Filter, GroupsQuery } from '#analytics/history-query.ts'
import type { Filled } from './history-fill.ts'
import { RULES } from './history-traffic.ts'

const DAY_MS = 86_400_000

export interface Question {
  readonly name: string
  readonly ask: (history: History) => ReturnType<History['groups']> | ReturnType<History['events']>
}

/** What is asked of history: the questions that the specification's page prints, and harder ones. */
export function questions({ domains, start, end }: Filled): readonly Question[] {
  const [domain] = domains
  if (!domain) throw new Error('history was filled for no domain')
  const scope = { accountId: domain.accountId, zoneIds: [domain.zoneId] }
  const between = (field: 'date' | 'datetimeHour' | 'datetime', from: number, to: number): Filter => ({
    and: [
      {
        field,
        is: 'geq',
        value: from - (from % (field === 'date' ? DAY_MS : field === 'datetime' ? 1000 : 3_600_000)),
      },
      {
        field,
        is: 'leq',
        value: to - (to % (field === 'date' ? DAY_MS : field === 'datetime' ? 1000 : 3_600_000)),
      },
    ],
  })
  const all = between('date', start, end)
  const groups = (name: string, more: Omit<GroupsQuery, 'scope' | 'limit'>): Question => ({
    name,
    ask: (history) => history.groups({ scope, limit: 10_000, filter: all, ...more }),
  })
  const events = (name: string, more: Omit<EventsQuery, 'scope'>): Question => ({
    name,
    ask: (history) => history.events({ scope, filter: between('datetime', start, end), ...more }),
  })
  const newest = [{ by: 'date', direction: 'desc' }] as const
  const sending = { dataset: 'sending' } as const
  const routing = { dataset: 'routing' } as const
  const status = (value: string): Filter => ({ and: [all, { field: 'status', is: 'eq', value }] })
  type Text = Exclude<Field, 'isSpam' | 'isNDR' | 'isLastEvent' | `date${string}`>
  const withText = (field: Text, is: 'eq' | 'contains', text: string): Filter => ({
    and: [all, is === 'eq' ? { field, is, value: text } : { field, is, text }],
  })
  const rareRule = withText('ruleMatched', 'eq', RULES.at(-1) ?? '')
  return [
    groups('page: sending by date, status', { ...sending, by: ['date', 'status'], order: newest }),
    groups('page: failures by date, cause, domain', {
      ...{
        ...sending,
        by: ['date', 'errorCause', 'sendingDomain'],
        order: newest,
        filter: status('deliveryFailed'),
      },
    }),
    groups('page: sending by hour, status', {
      ...{ ...sending, by: ['datetimeHour', 'status'], order: [{ by: 'datetimeHour', direction: 'asc' }] },
      filter: between('datetimeHour', start, end),
    }),
    events('page: 50 newest sent', { ...sending, limit: 50 }),
    groups('page: routing by date, status', { ...routing, by: ['date', 'status'], order: newest }),
    groups('page: routing by date, rule, action', {
      ...routing,
      by: ['date', 'ruleMatched', 'action'],
      order: newest,
    }),
    events('page: 50 newest routed', { ...routing, limit: 50 }),
    groups('last of each delivery by status', { ...sending, by: ['status', 'isLastEvent'] }),
    groups('dkim, dmarc, spf of routed mail', { ...routing, by: ['dkim', 'dmarc', 'spf', 'arc'] }),
    groups('routed by hour, dmarc', { ...routing, by: ['datetimeHour', 'dmarc'], order: newestHour }),
    groups('by five minutes, 10,000 newest', {
      ...{ ...sending, by: ['datetimeFiveMinutes', 'status'] },
      order: [{ by: 'datetimeFiveMinutes', direction: 'desc' }],
    }),
    groups('by minute, 10,000 newest', {
      ...{
        ...sending,
        by: ['datetimeMinute', 'status'],
        order: [{ by: 'datetimeMinute', direction: 'desc' }],
      },
    }),
    groups('by exact time, 10,000 newest', {
      ...{ ...sending, by: ['datetime', 'status'], order: [{ by: 'datetime', direction: 'desc' }] },
    }),
    groups('30 days to the millisecond, by status', {
      ...{ ...sending, by: ['status'] },
      filter: between('datetime', end - 30 * DAY_MS - 1_234_567, end - 1_234_567),
    }),
    groups('one recipient, by status', {
      ...{ ...sending, by: ['status'], filter: withText('to', 'eq', 'user1234@gmail.example') },
    }),
    groups('a day by recipient', {
      ...{ ...sending, by: ['envelopeTo'], order: [{ by: 'count', direction: 'desc' }] },
      filter: between('date', end - 3 * DAY_MS, end - 3 * DAY_MS),
    }),
    groups('a week by recipient', {
      ...{ ...sending, by: ['envelopeTo'], order: [{ by: 'count', direction: 'desc' }] },
      filter: between('date', end - 9 * DAY_MS, end - 3 * DAY_MS),
    }),
    groups('31 days by recipient', {
      ...sending,
      by: ['envelopeTo'],
      order: [{ by: 'count', direction: 'desc' }],
    }),
    groups('failures by recipient, 31 days', {
      ...{ ...sending, by: ['envelopeTo'], order: [{ by: 'count', direction: 'desc' }] },
      filter: status('deliveryFailed'),
    }),
    groups('what hosts said, by a rare cause', {
      ...{ ...sending, by: ['errorDetail'], filter: withText('errorCause', 'eq', 'other') },
    }),
    groups('routed by hour, spf, dkim, dmarc', {
      ...{ ...routing, by: ['datetimeHour', 'spf', 'dkim', 'dmarc'], order: newestHour },
    }),
    groups('routed by hour, rule', { ...routing, by: ['datetimeHour', 'ruleMatched'], order: newestHour }),
    groups('one rule by minute', {
      ...{ ...routing, by: ['datetimeMinute', 'status'], filter: rareRule },
    }),
    events('log: first page of all', { limit: 50 }),
    events('log: a rare rule', { limit: 50, filter: rareRule }),
    events('log: a rare rule, 10,000', { ...routing, limit: 10_000, filter: rareRule }),
    events('log: a cause that never was', { limit: 50, filter: withText('errorCause', 'eq', 'nothing') }),
    events('log: one recipient', { limit: 50, filter: withText('to', 'eq', 'user1234@gmail.example') }),
    events('log: a rare status', { ...sending, limit: 50, filter: status('failed') }),
    events('log: a rare cause, 10,000', {
      ...sending,
      limit: 10_000,
      filter: withText('errorCause', 'eq', 'other'),
    }),
    events('log: 10,000 newest', { ...sending, limit: 10_000 }),
    events('log: in the subject, nearby', { limit: 50, filter: withText('subject', 'contains', 'ORDER 77') }),
    events('log: in the subject, nowhere', { limit: 50, filter: withText('subject', 'contains', 'nowhere') }),
    events('log: the same, a page of what could be read', {
      ...{ limit: 50, partly: true, filter: withText('subject', 'contains', 'nowhere') },
    }),
  ]
}

const newestHour = [{ by: 'datetimeHour', direction: 'desc' }] as const
