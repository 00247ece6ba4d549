import { SkeletonLine } from '@cloudflare/kumo/components/loader'
import { Tabs } from '@cloudflare/kumo/components/tabs'
import type { UseQueryResult } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { Asked } from '../parts/asked.tsx'
import { CodeText } from '../parts/code-text.tsx'
import { Section } from '../parts/page.tsx'
import { FiguresTable, type TableOfFigures } from './figures-table.tsx'
import type { Figures } from './use-figures.ts'

/** A piece of what was asked, to be copied. */
export interface AskedText {
  readonly what: string
  readonly text: string
}

interface ChartPanelProps<Answer> {
  readonly title: string
  readonly lead?: ReactNode
  readonly of: UseQueryResult<Answer>
  readonly renderChart: (answer: Answer) => ReactNode
  readonly table: (answer: Answer) => TableOfFigures
  readonly query: (answer: Answer) => readonly AskedText[]
}

// The library's own grey is too faint on the ground of its tabs (WCAG 1.4.3).
const className = 'text-kumo-default'
const VIEWS = [
  { value: 'chart', label: 'Chart', className },
  { value: 'table', label: 'Table', className },
  { value: 'query', label: 'Query', className },
]

/** A chart, its figures as a table, and the request that anybody may send to get them. */
export function ChartPanel<Answer>({ title, lead, of, renderChart, table, query }: ChartPanelProps<Answer>) {
  const [view, setView] = useState('chart')
  return (
    <Section
      title={title}
      lead={lead}
      actions={<Tabs size="sm" tabs={VIEWS} value={view} onValueChange={setView} />}
    >
      <Asked of={of} skeleton={<ChartSkeleton />}>
        {(answer) => (
          <div aria-busy={of.isPlaceholderData} className={of.isPlaceholderData ? 'opacity-60' : ''}>
            {view === 'chart' && renderChart(answer)}
            {view === 'table' && <FiguresTable caption={title} of={table(answer)} />}
            {view === 'query' && <AskedTexts of={query(answer)} />}
          </div>
        )}
      </Asked>
    </Section>
  )
}

/** The same GraphQL that customers use. */
export function graphqlAsked({ text, variables }: Figures): readonly AskedText[] {
  return [
    { what: 'Query', text },
    { what: 'Variables', text: JSON.stringify(variables, undefined, 2) },
  ]
}

function AskedTexts({ of }: { readonly of: readonly AskedText[] }) {
  return (
    <div className="flex flex-col gap-4">
      {of.map(({ what, text }) => (
        <div key={what}>
          <h3 className="mb-2 text-sm font-medium">{what}</h3>
          <CodeText text={text} what={what} />
        </div>
      ))}
      <p className="text-sm text-kumo-subtle">
        Ask the same with a token that has “Analytics: Read”. Queries go to{' '}
        <code>POST /client/v4/graphql</code>.
      </p>
    </div>
  )
}

function ChartSkeleton() {
  return (
    <div role="status" aria-label="Loading" className="flex h-40 flex-col justify-end gap-4">
      {[50, 90, 70, 100].map((width) => (
        <SkeletonLine key={width} minWidth={width} maxWidth={width} />
      ))}
    </div>
  )
}
