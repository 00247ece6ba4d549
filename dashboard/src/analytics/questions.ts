import type { MailDirection } from '../parts/mail-status.ts'
import { moment } from '../parts/time-range.ts'

/** What is asked about: one zone, or all of the account. */
export interface Scope {
  readonly mail: MailDirection
  readonly accountId: string
  readonly zoneId: string | undefined
}

/** A query of the GraphQL API, as customers write it. */
export interface Question {
  readonly text: string
  /** `zoneTag` or `accountTag`, and its value. */
  readonly tag: readonly [string, string]
  /** Whether it also asks about the period before. */
  readonly compares: boolean
}

export interface Span {
  readonly from: number
  readonly to: number
}

interface Groups {
  readonly alias?: string
  readonly by: readonly string[]
  /** Beside those of time: `status: "deliveryFailed"`. */
  readonly filter?: string
  readonly order?: string
  readonly of?: 'previous'
}

const DATASET = { sending: 'emailSendingAdaptiveGroups', routing: 'emailRoutingAdaptiveGroups' } as const
const NAME = { sending: 'EmailSending', routing: 'EmailRouting' } as const

/** Every recipient of a message once, by what is last known of it. */
const ONCE = 'isLastEvent: 1'

function question(scope: Scope, name: string, groups: readonly Groups[]): Question {
  const compares = groups.some(({ of }) => of === 'previous')
  const [node, tag, id] = scope.zoneId
    ? ['zones', 'zoneTag', scope.zoneId]
    : ['accounts', 'accountTag', scope.accountId]
  const times = ['start', 'end', ...(compares ? ['previousStart'] : [])].map((time) => `$${time}: Time!`)
  const text = `query ${NAME[scope.mail]}${name}($${tag}: string!, ${times.join(', ')}) {
  viewer {
    ${node}(filter: { ${tag}: $${tag} }) {
${groups.map((each) => groupsText(scope.mail, each)).join('\n')}
    }
  }
}`
  return { text, tag: [tag, id], compares }
}

function groupsText(mail: MailDirection, { alias, by, filter, order, of }: Groups): string {
  const [start, end] = of === 'previous' ? ['$previousStart', '$start'] : ['$start', '$end']
  const filters = [`datetime_geq: ${start}`, `datetime_lt: ${end}`, ONCE, ...(filter ? [filter] : [])]
  return `      ${alias ? `${alias}: ` : ''}${DATASET[mail]}(
        filter: { ${filters.join(', ')} }
        limit: 10000
        orderBy: [${order ?? 'count_DESC'}]
      ) {
        count
        dimensions { ${by.join(' ')} }
      }`
}

export function variablesOf({ tag: [name, id], compares }: Question, { from, to }: Span) {
  return {
    [name]: id,
    start: moment(from),
    end: moment(to),
    ...(compares && { previousStart: moment(from - (to - from)) }),
  }
}

/** `compares`: whether the period before is kept. */
export function totalsQuestion(scope: Scope, compares: boolean): Question {
  return question(scope, 'Totals', [
    { alias: 'current', by: ['status'] },
    ...(compares ? [{ alias: 'previous', by: ['status'], of: 'previous' } as const] : []),
  ])
}

/** `time`: the dimension by which time is cut. */
export function overTimeQuestion(scope: Scope, time: string): Question {
  return question(scope, 'ByStatus', [{ by: [time, 'status'], order: `${time}_ASC` }])
}

/** Routing has no dimension of the domain: there the account's zones are told apart. */
export function byDomainQuestion(scope: Scope): Question {
  const domain = scope.mail === 'sending' ? 'sendingDomain' : 'zoneTag'
  return question(scope, 'ByDomain', [{ by: [domain, 'status'] }])
}

export function byCauseQuestion(scope: Scope): Question {
  const filter = 'status_in: ["deliveryFailed", "rejected", "failed"]'
  return question(scope, 'DeliveryFailures', [{ by: ['errorCause', 'status'], filter }])
}

export function byRuleQuestion(scope: Scope): Question {
  const zone = scope.zoneId ? [] : ['zoneTag']
  return question(scope, 'RuleActivity', [{ by: ['ruleMatched', 'action', 'status', ...zone] }])
}

export const MECHANISMS = ['spf', 'dkim', 'dmarc', 'arc'] as const

export function authenticationQuestion(scope: Scope): Question {
  return question(
    scope,
    'Authentication',
    MECHANISMS.map((mechanism) => ({ alias: mechanism, by: [mechanism] })),
  )
}

/** For how long events are kept. */
export function keptQuestion({ mail, zoneId, accountId }: Scope) {
  const [node, tag, id] = zoneId ? ['zones', 'zoneTag', zoneId] : ['accounts', 'accountTag', accountId]
  const dataset = DATASET[mail]
  const text = `query Kept($${tag}: string!) {
  viewer {
    ${node}(filter: { ${tag}: $${tag} }) {
      settings {
        kept: ${dataset} { notOlderThan }
      }
    }
  }
}`
  return { text, variables: { [tag]: id } }
}
