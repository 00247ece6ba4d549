import { LinkButton } from '@cloudflare/kumo/components/button'
import { Link } from '@cloudflare/kumo/components/link'
import { SkeletonLine } from '@cloudflare/kumo/components/loader'
import { Table } from '@cloudflare/kumo/components/table'
import { SignpostIcon } from '@phosphor-icons/react'
import { useQueries } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import type { AccountRuleResult, CatchAllResult } from '#contract/rules.ts'
import { accountPath, ask, zonePath } from '../api/ask.ts'
import { useEveryPage } from '../api/ask-every-page.ts'
import { queryKey, useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { CopyButton } from '../parts/copy-button.tsx'
import { Moment } from '../parts/moment.tsx'
import { Section } from '../parts/page.tsx'
import { SectionEmpty } from '../parts/section-empty.tsx'
import { TableBox } from '../parts/table-box.tsx'
import type { WorkerTabProps } from './worker-page.tsx'
import { Handlers } from './workers-page.tsx'

interface WholeWorker {
  readonly subdomain: { readonly enabled: boolean; readonly url: string }
}

/** What the Worker is, and which mail comes to it. */
export function OverviewTab({ accountId, worker }: WorkerTabProps) {
  const { data: whole } = useAsk<WholeWorker>(accountPath(accountId, 'workers/workers', worker.id))
  return (
    <>
      <Section title="About">
        <dl className="grid gap-x-8 gap-y-4 sm:grid-cols-2 lg:grid-cols-3">
          <Fact name="Handlers">
            <Handlers names={worker.handlers} />
          </Fact>
          <Fact name="Compatibility date">{worker.compatibility_date}</Fact>
          <Fact name="Compatibility flags">{worker.compatibility_flags.join(', ') || 'None'}</Fact>
          <Fact name="Changed">
            <Moment at={worker.modified_on} />
          </Fact>
          <Fact name="Created">
            <Moment at={worker.created_on} />
          </Fact>
          <Fact name="Host name">
            {whole?.subdomain.enabled === true ? (
              <span className="flex items-center gap-1">
                <Link
                  href={whole.subdomain.url}
                  target="_blank"
                  rel="noopener noreferrer"
                  className="break-all"
                >
                  {whole.subdomain.url}
                </Link>
                <CopyButton text={whole.subdomain.url} what="the URL" />
              </span>
            ) : whole ? (
              'None'
            ) : (
              <SkeletonLine />
            )}
          </Fact>
        </dl>
      </Section>
      <MailRules accountId={accountId} worker={worker} />
    </>
  )
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-sm text-kumo-subtle">{name}</dt>
      <dd className="mt-1">{children}</dd>
    </div>
  )
}

interface Leading {
  readonly zoneId: string
  readonly pattern: string
  readonly enabled: boolean
  readonly tab: 'rules' | 'catch-all'
}

function MailRules({ accountId, worker }: WorkerTabProps) {
  const rules = useEveryPage<AccountRuleResult>(accountPath(accountId, 'email/routing/rules'))
  const catchAlls = useCatchAllsOf(accountId, worker.id)
  return (
    <Section title="Mail rules" lead="The routing rules that lead to this Worker.">
      <Asked of={rules}>
        {(all) => {
          const leading: readonly Leading[] = [
            ...all
              .filter((rule) => leadsTo(rule, worker.id))
              .map((rule) => ({
                ...{ zoneId: rule.zone.tag, pattern: rule.matchers[0]?.value ?? '' },
                ...{ enabled: rule.enabled, tab: 'rules' as const },
              })),
            ...catchAlls,
          ]
          if (leading.length === 0) {
            return (
              <SectionEmpty
                icon={<SignpostIcon size={32} />}
                title="No mail comes here yet"
                description="Create a routing rule with the action “Send to a Worker”."
                contents={<LinkButton href={`/${accountId}/routing/domains`}>Go to Email Routing</LinkButton>}
              />
            )
          }
          return (
            <TableBox label="Mail rules">
              <Table>
                <Table.Header>
                  <Table.Row>
                    <Table.Head>Email pattern</Table.Head>
                    <Table.Head>Status</Table.Head>
                  </Table.Row>
                </Table.Header>
                <Table.Body>
                  {leading.map(({ zoneId, pattern, enabled, tab }) => (
                    <Table.Row key={`${tab} ${pattern}`}>
                      <Table.Cell>
                        <Link href={`/${accountId}/routing/domains/${zoneId}?tab=${tab}`}>{pattern}</Link>
                      </Table.Cell>
                      <Table.Cell>{enabled ? 'Active' : 'Disabled'}</Table.Cell>
                    </Table.Row>
                  ))}
                </Table.Body>
              </Table>
            </TableBox>
          )
        }}
      </Asked>
    </Section>
  )
}

function leadsTo({ actions: [action] }: Pick<CatchAllResult, 'actions'>, script: string): boolean {
  return action?.type === 'worker' && action.value?.[0] === script
}

/** No list of the API has catch-alls in it: each zone's own is asked for. */
function useCatchAllsOf(accountId: string, script: string): readonly Leading[] {
  const { data: zones = [] } = useEveryPage<RoutingSettingsBody>(
    accountPath(accountId, 'email/routing/zones'),
  )
  const routed = zones.filter(({ enabled }) => enabled)
  const answers = useQueries({
    queries: routed.map(({ id }) => {
      const path = zonePath(id, 'email/routing/rules/catch_all')
      return {
        queryKey: queryKey(path),
        queryFn: ({ signal }: { readonly signal: AbortSignal }) => ask<CatchAllResult>(path, { signal }),
      }
    }),
  })
  return routed.flatMap(({ id, name }, index) => {
    const rule = answers[index]?.data
    if (!rule || !leadsTo(rule, script)) return []
    return [{ zoneId: id, pattern: `Catch-all of ${name}`, enabled: rule.enabled, tab: 'catch-all' as const }]
  })
}
