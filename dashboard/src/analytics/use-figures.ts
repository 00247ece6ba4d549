import { keepPreviousData, type UseQueryResult, useQuery } from '@tanstack/react-query'
import { askGraphql, useGraphql } from '../api/graphql.ts'
import { parseTimeRange, spanOf } from '../parts/time-range.ts'
import { keptQuestion, type Question, type Scope, type Span, variablesOf } from './questions.ts'

/** A row of a groups dataset. */
export interface GroupRow {
  readonly count: number
  readonly dimensions: Readonly<Record<string, string | number>>
}

/** What a question answered, and what exactly was asked. */
export interface Figures {
  readonly text: string
  readonly variables: Readonly<Record<string, string>>
  readonly span: Span
  /** By alias. */
  readonly groups: Readonly<Record<string, readonly GroupRow[]>>
}

interface Viewer<Node> {
  readonly viewer: Readonly<Record<string, readonly Node[]>>
}

/** A range that ends now is worked out anew each time it is asked about, so `every` moves it on. What the page showed
 *  before stays until the answer is there. */
export function useFigures(
  question: Question,
  { range, every, enabled = true }: { range: string; every: number | false; enabled?: boolean },
): UseQueryResult<Figures> {
  return useQuery({
    queryKey: ['graphql', 'figures', question.text, question.tag[1], range],
    queryFn: ({ signal }) => askFigures(question, range, signal),
    refetchInterval: every,
    placeholderData: keepPreviousData,
    enabled,
  })
}

async function askFigures(question: Question, range: string, signal: AbortSignal): Promise<Figures> {
  const parsed = parseTimeRange(range)
  if (!parsed) throw new Error(`"${range}" is no time range.`)
  const span = spanOf(parsed, Date.now())
  const variables = variablesOf(question, span)
  const { viewer } = await askGraphql<Viewer<Figures['groups']>>(question.text, variables, signal)
  return { text: question.text, variables, span, groups: soleNode(viewer) ?? {} }
}

/** Milliseconds for which events are kept; undefined until it is known. */
export function useKept(scope: Scope): number | undefined {
  const { text, variables } = keptQuestion(scope)
  const { data } = useGraphql<
    Viewer<{ readonly settings: { readonly kept: { readonly notOlderThan: number } } }>
  >(text, variables)
  const kept = data && soleNode(data.viewer)?.settings.kept.notOlderThan
  return kept === undefined ? undefined : kept * 1000
}

/** One zone or one account was asked about. */
function soleNode<Node>(viewer: Viewer<Node>['viewer']): Node | undefined {
  return Object.values(viewer)[0]?.[0]
}

/** The rows of a question without aliases. */
export function rowsOf({ groups }: Figures): readonly GroupRow[] {
  return Object.values(groups)[0] ?? []
}
