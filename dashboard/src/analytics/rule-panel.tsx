import { useQueries } from '@tanstack/react-query'
import type { CatchAllBody, RuleBody } from '#contract/rules.ts'
import { ask, withQuery, zonePath } from '../api/ask.ts'
import { queryKey } from '../api/use-ask.ts'
import { byStatus } from './breakdown.ts'
import { ChartPanel, graphqlAsked } from './chart-panel.tsx'
import type { LinkToLog } from './link-to-log.ts'
import { NothingYet } from './nothing-yet.tsx'
import { byRuleQuestion, type Scope } from './questions.ts'
import { ShareBars } from './share-bars.tsx'
import { type Figures, rowsOf, useFigures } from './use-figures.ts'

interface RulePanelProps {
  readonly scope: Scope
  readonly range: string
  readonly every: number | false
  readonly linkToLog: LinkToLog
}

const ACTIONS: Readonly<Record<string, string>> = {
  ...{ forward: 'Send to an email', worker: 'Send to a Worker', drop: 'Drop' },
  ...{ return: 'Returned mail', none: 'No action' },
}
/** Of how many zones the names of rules are asked for. */
const MOST_ZONES = 10

/** Which routing rules take mail, and what they do with it. */
export function RulePanel({ scope, range, every, linkToLog }: RulePanelProps) {
  const figures = useFigures(byRuleQuestion(scope), { range, every })
  const zoneIds = scope.zoneId
    ? [scope.zoneId]
    : [
        ...new Set(
          figures.data ? rowsOf(figures.data).map(({ dimensions }) => String(dimensions['zoneTag'])) : [],
        ),
      ]
  const names = useRuleNames(zoneIds.filter((id) => /^[0-9a-f]{32}$/.test(id)).slice(0, MOST_ZONES))

  function read(answer: Figures) {
    const keyOf = ({ dimensions }: Figures['groups'][string][number]) =>
      `${dimensions['ruleMatched']} ${dimensions['action']}`
    return byStatus(rowsOf(answer), keyOf, scope.mail).map((row) => {
      const [ruleId = '', action = ''] = row.key.split(' ')
      const rule = ruleId === '' ? 'No rule matched' : (names.get(ruleId) ?? `Rule ${ruleId}`)
      return { ...row, ruleId, rule, action: ACTIONS[action] ?? action }
    })
  }

  return (
    <ChartPanel
      title="By routing rule"
      of={figures}
      renderChart={(answer) => {
        const rows = read(answer)
        if (rows.length === 0) return <NothingYet mail="routing" />
        const bars = rows.map(({ key, parts, rule, ruleId, action }) => ({
          ...{ key, parts, label: rule, note: action },
          ...(ruleId !== '' && { href: linkToLog({ rule: ruleId }) }),
        }))
        return <ShareBars of={bars} />
      }}
      table={(answer) => ({
        columns: ['Rule', 'Action', 'Emails', ...(read(answer)[0]?.parts ?? []).map(({ label }) => label)],
        rows: read(answer).map(({ rule, action, total, parts }) => [
          ...[rule, action, total, ...parts.map(({ count }) => count)],
        ]),
      })}
      query={graphqlAsked}
    />
  )
}

type NamedRule = (RuleBody | CatchAllBody) & { readonly id: string }

/** By their ids; a rule that is gone has none. */
function useRuleNames(zoneIds: readonly string[]): ReadonlyMap<string, string> {
  return useQueries({
    queries: zoneIds.flatMap((zoneId) => [
      rulesQuery(withQuery(zonePath(zoneId, 'email/routing/rules'), { per_page: 1000 })),
      rulesQuery(zonePath(zoneId, 'email/routing/rules/catch_all')),
    ]),
    combine: (answers) =>
      new Map(answers.flatMap(({ data }) => (data ?? []).map((rule) => [rule.id, nameOf(rule)] as const))),
  })
}

function rulesQuery(path: string) {
  return {
    queryKey: [...queryKey(path), 'as a list'],
    queryFn: async ({ signal }: { signal: AbortSignal }): Promise<readonly NamedRule[]> =>
      [await ask<NamedRule | NamedRule[]>(path, { signal })].flat(),
    staleTime: 60_000,
  }
}

function nameOf({ name, matchers }: NamedRule): string {
  const [matcher] = matchers
  const matched = matcher?.type === 'all' ? 'Catch-all' : (matcher?.value ?? '')
  return name ? `${name} (${matched})` : matched
}
