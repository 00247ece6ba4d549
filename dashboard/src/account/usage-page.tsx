import { Badge } from '@cloudflare/kumo/components/badge'
import { Meter } from '@cloudflare/kumo/components/meter'
import { Table } from '@cloudflare/kumo/components/table'
import { accountPath } from '../api/ask.ts'
import { useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { Moment } from '../parts/moment.tsx'
import { Page, Section } from '../parts/page.tsx'
import { useAccount } from '../shell/use-account.ts'

interface Limits {
  readonly quota: { readonly unit: 'day' | 'hour'; readonly value: number } | null
  readonly usage: {
    readonly sent: number
    readonly over_quota: boolean
    readonly resets_at: string | null
  } | null
  /** Why the limit is what it is. */
  readonly reason: { readonly detail: string; readonly since: string | null }
}

interface Usage {
  readonly months: readonly { readonly month: string; readonly sent: number }[]
}

const number = new Intl.NumberFormat()

/** How much the account may send, and how much it sent. */
export function UsagePage() {
  const { id } = useAccount()
  const limits = useAsk<Limits>(accountPath(id, 'email/sending/limits'), { every: 10_000 })
  const usage = useAsk<Usage>(accountPath(id, 'email/sending/usage'))
  return (
    <Page
      title="Usage and limits"
      lead="Counted in recipients. Verified destination addresses, and what was rejected or suppressed, count for nothing."
    >
      <Section title="Today">
        <Asked of={limits}>{(limits) => <Today limits={limits} />}</Asked>
      </Section>
      <Section title="By month" lead="Calendar months in UTC. Nothing is limited by them.">
        <Asked of={usage}>{({ months }) => <Months months={months} />}</Asked>
      </Section>
    </Page>
  )
}

function Today({ limits: { quota, usage, reason } }: { readonly limits: Limits }) {
  const sent = usage?.sent ?? 0
  return (
    <div className="flex flex-col gap-3">
      {quota ? (
        <Meter
          label={quota.unit === 'day' ? 'Of the daily limit' : 'Of the hourly limit'}
          value={sent}
          max={quota.value}
          customValue={`${number.format(sent)} of ${number.format(quota.value)}`}
        />
      ) : (
        <p>
          <strong>{number.format(sent)}</strong> sent. This account has no daily limit.
        </p>
      )}
      <p className="flex flex-wrap items-center gap-2 text-kumo-subtle">
        {usage?.over_quota && <Badge variant="error">Over the limit: further mail is refused</Badge>}
        {usage?.resets_at != null && (
          <span>
            Counts anew at <Moment at={usage.resets_at} />.
          </span>
        )}
        <span>{reason.detail}</span>
      </p>
    </div>
  )
}

function Months({ months }: Usage) {
  if (months.length === 0) return <p className="text-kumo-subtle">Nothing was sent yet.</p>
  const most = Math.max(1, ...months.map(({ sent }) => sent))
  return (
    <Table>
      <Table.Header>
        <Table.Row>
          <Table.Head>Month</Table.Head>
          <Table.Head>Recipients</Table.Head>
        </Table.Row>
      </Table.Header>
      <Table.Body>
        {months.map(({ month, sent }) => (
          <Table.Row key={month}>
            <Table.Cell className="whitespace-nowrap">{month}</Table.Cell>
            <Table.Cell>
              <span className="flex items-center gap-3">
                <span className="w-20 text-right tabular-nums">{number.format(sent)}</span>
                <progress
                  value={sent}
                  max={most}
                  aria-hidden
                  className="hidden h-2 w-40 appearance-none overflow-hidden rounded-full sm:block [&::-moz-progress-bar]:bg-kumo-brand [&::-webkit-progress-bar]:bg-kumo-recessed [&::-webkit-progress-value]:bg-kumo-brand"
                />
              </span>
            </Table.Cell>
          </Table.Row>
        ))}
      </Table.Body>
    </Table>
  )
}
