import { Table } from '@cloudflare/kumo/components/table'
import type { DomainDeliverability } from '#contract/deliverability.ts'
import { zonePath } from '../api/ask.ts'
import { useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { Figure } from '../parts/figure.tsx'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { TableBox } from '../parts/table-box.tsx'
import { explainProblem, percent } from './deliverability-words.ts'
import type { OfDomain } from './domain-page.tsx'

/** How wanted the domain's mail is, and by whom. */
export function DomainFigures({ zone, domain }: OfDomain) {
  const answer = useAsk<readonly DomainDeliverability[]>(zonePath(zone.id, 'email/sending/deliverability'))
  return (
    <Section
      title="Deliverability"
      lead="Of the last seven days, by what became of each recipient. Analytics counts mail to the simulator too; these figures leave it out."
    >
      <Asked of={answer}>
        {(domains) => {
          const own = domains.find(({ tag }) => tag === domain.tag)
          return own === undefined || own.settled === 0 ? (
            <p className="text-kumo-subtle">No delivery from {domain.name} ended in this time.</p>
          ) : (
            <Figures of={own} />
          )
        }}
      </Asked>
    </Section>
  )
}

function Figures({ of }: { readonly of: DomainDeliverability }) {
  const { thresholds } = of
  return (
    <>
      {of.problems.map((problem) => (
        <ProblemNote key={problem} className="mb-4">
          {explainProblem(problem, of)}
        </ProblemNote>
      ))}
      <dl className="mb-4 grid grid-cols-2 gap-4 lg:grid-cols-4">
        <Figure label="Recipients" value={of.settled.toLocaleString()} />
        <Figure
          label="Delivered"
          value={percent(of.delivery_rate)}
          note={`should be above ${percent(thresholds.delivery_rate)}`}
        />
        <Figure
          label="Hard bounces"
          value={percent(of.hard_bounce_rate)}
          note={`should be below ${percent(thresholds.hard_bounce_rate)}`}
        />
        <Figure
          label="Complaints"
          value={percent(of.complaint_rate)}
          note={`should be below ${percent(thresholds.complaint_rate)}`}
        />
      </dl>
      <Providers of={of} />
    </>
  )
}

function Providers({ of: { providers } }: { readonly of: DomainDeliverability }) {
  if (providers.length === 0) return null
  return (
    <TableBox label="By provider">
      <Table>
        <Table.Header variant="compact">
          <Table.Row>
            <Table.Head>Mailboxes kept by</Table.Head>
            <Table.Head>Recipients</Table.Head>
            <Table.Head>Delivered</Table.Head>
            <Table.Head>Hard bounces</Table.Head>
            <Table.Head>Complaints</Table.Head>
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {providers.map((provider) => (
            <Table.Row key={provider.provider}>
              <Table.Cell>{provider.provider === 'other' ? 'Others' : provider.provider}</Table.Cell>
              <Table.Cell>{provider.settled.toLocaleString()}</Table.Cell>
              <Table.Cell>{percent(provider.delivery_rate)}</Table.Cell>
              <Table.Cell>{percent(provider.hard_bounce_rate)}</Table.Cell>
              <Table.Cell>{percent(provider.complaint_rate)}</Table.Cell>
            </Table.Row>
          ))}
        </Table.Body>
      </Table>
    </TableBox>
  )
}
