import { LinkButton } from '@cloudflare/kumo/components/button'
import { Empty } from '@cloudflare/kumo/components/empty'
import { Tabs } from '@cloudflare/kumo/components/tabs'
import { FunctionIcon } from '@phosphor-icons/react'
import { getRouteApi } from '@tanstack/react-router'
import type { ScriptBody } from '#contract/workers.ts'
import { accountPath } from '../api/ask.ts'
import { useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { Page, Section } from '../parts/page.tsx'
import { useAccount } from '../shell/use-account.ts'
import { BindingsTab } from './bindings-tab.tsx'
import { DeploymentsTab } from './deployments-tab.tsx'
import { LogsTab } from './logs-tab.tsx'
import { OverviewTab } from './overview-tab.tsx'
import { WORKER_TABS, type WorkerTab } from './routes.ts'
import { SettingsTab } from './settings-tab.tsx'
import { TestTab } from './test-tab.tsx'

const route = getRouteApi('/signed-in/$accountId/workers/$script')

const LABELS = {
  overview: 'Overview',
  deployments: 'Deployments',
  bindings: 'Bindings',
  settings: 'Settings',
  logs: 'Live logs',
  test: 'Test message',
} as const satisfies Record<WorkerTab, string>

/** What every tab of a Worker is given. */
export interface WorkerTabProps {
  readonly accountId: string
  readonly worker: ScriptBody
}

/** One Worker. */
export function WorkerPage() {
  const { id } = useAccount()
  const { script } = route.useParams()
  const { tab = 'overview' } = route.useSearch()
  const navigate = route.useNavigate()
  const workers = useAsk<readonly ScriptBody[]>(accountPath(id, 'workers/scripts'), { every: 5000 })
  return (
    <Page
      title={script}
      actions={
        <LinkButton variant="secondary" href={`/${id}/workers`}>
          All Workers
        </LinkButton>
      }
    >
      <Asked of={workers}>
        {(all) => {
          const worker = all.find((each) => each.id === script)
          if (!worker) return <Gone script={script} />
          return (
            <>
              <Tabs
                variant="underline"
                className="mb-6"
                value={tab}
                onValueChange={(value) => {
                  const chosen = WORKER_TABS.find((each) => each === value)
                  if (chosen) void navigate({ search: { tab: chosen }, replace: true })
                }}
                tabs={WORKER_TABS.map((value) => ({ value, label: LABELS[value] }))}
              />
              <Tab key={`${tab} ${worker.tag}`} tab={tab} accountId={id} worker={worker} />
            </>
          )
        }}
      </Asked>
    </Page>
  )
}

function Tab({ tab, ...of }: WorkerTabProps & { readonly tab: WorkerTab }) {
  switch (tab) {
    case 'overview':
      return <OverviewTab {...of} />
    case 'deployments':
      return <DeploymentsTab {...of} />
    case 'bindings':
      return <BindingsTab {...of} />
    case 'settings':
      return <SettingsTab {...of} />
    case 'logs':
      return <LogsTab {...of} />
    case 'test':
      return <TestTab {...of} />
  }
}

function Gone({ script }: { readonly script: string }) {
  return (
    <Section title="Worker">
      <Empty
        icon={<FunctionIcon size={48} />}
        title={`There is no Worker ${script}`}
        description="It was deleted, or deployed under another name."
      />
    </Section>
  )
}
