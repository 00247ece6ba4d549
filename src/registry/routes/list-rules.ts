import { type Statement, type Store, statement } from '#store/store.ts'
import { FROM_RULES, type LiteralRule, type RuleRow, ruleOf, SELECT_RULES, WORKS } from './rule.ts'

/** Which rules, and where in their list a page begins. Catch-alls are not among them. */
export interface RulePage {
  readonly accountId: string
  /** Absent: of every zone of the account. */
  readonly zoneId?: string | undefined
  /** Zones whose rules are not for whoever asks. */
  readonly withoutZones?: readonly string[] | undefined
  /** Only those that work, or only those that do not. */
  readonly enabled?: boolean | undefined
  /** `priority`: in the order in which they are tried. */
  readonly order: 'priority' | 'created'
  readonly direction: 'asc' | 'desc'
  readonly offset: number
  readonly limit: number
}

// Each filter is asked for in one statement, whether or not it was given: few rows to look at, and few statements.
const wanted = `${FROM_RULES} where rule.account_id = $1 and rule.matcher = 'literal'
    and (cast($2 as text) is null or rule.zone_id = $2)
    and (cast($3 as integer) is null or ${WORKS} = $3)`
const elsewhere = {
  sqlite: 'and rule.zone_id not in (select value from json_each($4))',
  postgres: 'and rule.zone_id <> all (array(select json_array_elements_text($4::json)))',
} as const

const countRules = statement<{ readonly rules: number }>('routing-rule.count', {
  sqlite: `select count(*) as rules ${wanted} ${elsewhere.sqlite}`,
  postgres: `select count(*) as rules ${wanted} ${elsewhere.postgres}`,
})

const ORDERS = {
  priority: ['zone.name', 'rule.zone_id', 'rule.priority', 'rule.created_at', 'rule.id'],
  created: ['rule.created_at', 'rule.id'],
} as const satisfies Record<RulePage['order'], readonly string[]>

function pageOf(order: RulePage['order'], direction: RulePage['direction']): Statement<RuleRow> {
  const by = ORDERS[order].map((column) => `${column} ${direction}`).join(', ')
  const sql = (engine: keyof typeof elsewhere) =>
    `${SELECT_RULES} ${wanted} ${elsewhere[engine]} order by ${by} limit $5 offset $6`
  return statement<RuleRow>(`routing-rule.page ${order} ${direction}`, {
    sqlite: sql('sqlite'),
    postgres: sql('postgres'),
  })
}

const PAGES = {
  priority: { asc: pageOf('priority', 'asc'), desc: pageOf('priority', 'desc') },
  created: { asc: pageOf('created', 'asc'), desc: pageOf('created', 'desc') },
} as const

/** `total`: how many there are on all pages. */
export async function listRules(
  store: Store,
  page: RulePage,
): Promise<{ readonly rules: readonly LiteralRule[]; readonly total: number }> {
  const { accountId, zoneId = null, withoutZones = [], enabled, offset } = page
  const state = enabled === undefined ? null : enabled ? 1 : 0
  const filter = [accountId, zoneId, state, JSON.stringify(withoutZones)]
  const [counted] = await store.all(countRules, filter)
  const total = counted?.rules ?? 0
  // An offset is a stranger's number, and may be beyond what an engine counts.
  if (offset >= total) return { rules: [], total }
  const rows = await store.all(PAGES[page.order][page.direction], [...filter, page.limit, offset])
  return { rules: rows.map(ruleOf).filter((rule) => rule.matcher === 'literal'), total }
}
