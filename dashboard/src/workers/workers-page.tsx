import { Badge } from '@cloudflare/kumo/components/badge'
import { Link } from '@cloudflare/kumo/components/link'
import { FunctionIcon } from '@phosphor-icons/react'
import type { AccountRuleResult } from '#contract/rules.ts'
import type { ScriptBody } from '#contract/workers.ts'
import { accountPath } from '../api/ask.ts'
import { useEveryPage } from '../api/ask-every-page.ts'
import { useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { FoldingTable } from '../parts/folding-table.tsx'
import { Moment } from '../parts/moment.tsx'
import { Page, Section } from '../parts/page.tsx'
import { SectionEmpty } from '../parts/section-empty.tsx'
import { useAccount } from '../shell/use-account.ts'
import { DeployHint } from './deploy-hint.tsx'

/** The Workers of the account. */
export function WorkersPage() {
  const { id } = useAccount()
  // A deploy goes on in a terminal beside this page.
  const workers = useAsk<readonly ScriptBody[]>(accountPath(id, 'workers/scripts'), { every: 2000 })
  return (
    <Page
      title="Email Workers"
      lead="Your code that mail passes through: it forwards, replies, rejects, or keeps it."
    >
      <Asked of={workers}>
        {(all) =>
          all.length === 0 ? (
            <Section title="Workers">
              <SectionEmpty
                icon={<FunctionIcon size={48} />}
                title="No Worker yet"
                description="Deploy one with wrangler; it shows up here by itself."
                contents={<DeployHint />}
              />
            </Section>
          ) : (
            <>
              <Section title="Workers">
                <WorkersTable accountId={id} workers={all} />
              </Section>
              <Section title="Deploy another">
                <DeployHint />
              </Section>
            </>
          )
        }
      </Asked>
    </Page>
  )
}

function WorkersTable({
  accountId,
  workers,
}: {
  readonly accountId: string
  readonly workers: readonly ScriptBody[]
}) {
  const { data: rules } = useEveryPage<AccountRuleResult>(accountPath(accountId, 'email/routing/rules'))
  const leading = (name: string) =>
    rules?.filter(({ actions: [action] }) => action?.type === 'worker' && action.value?.[0] === name).length
  return (
    <FoldingTable
      label="Workers"
      rows={workers}
      rowKey={({ tag }) => tag}
      columns={[
        {
          head: 'Worker',
          renderCell: ({ id }) => <Link href={`/${accountId}/workers/${id}`}>{id}</Link>,
        },
        { head: 'Handlers', renderCell: ({ handlers }) => <Handlers names={handlers} /> },
        { head: 'Routing rules', renderCell: ({ id }) => leading(id) },
        { head: 'Changed', renderCell: ({ modified_on: at }) => <Moment at={at} ago /> },
      ]}
    />
  )
}

/** What a Worker is called for. */
export function Handlers({ names }: { readonly names: readonly string[] }) {
  if (names.length === 0) return <span className="text-kumo-subtle">None</span>
  return (
    <span className="flex flex-wrap gap-1">
      {names.map((name) => (
        <Badge key={name} variant={name === 'email' ? 'info' : 'secondary'}>
          {name}
        </Badge>
      ))}
    </span>
  )
}
