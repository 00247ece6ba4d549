import { Button } from '@cloudflare/kumo/components/button'
import { Switch } from '@cloudflare/kumo/components/switch'
import { useQueries } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import type { DomainBody, RouteBody, SchedulesBody } from '#contract/workers-places.ts'
import { accountPath, ask, withQuery, zonePath } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { queryKey, useAct, useAsk } from '../api/use-ask.ts'
import { coveringZone } from '../domains/covering-zone.ts'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { useZones } from '../parts/use-zones.ts'
import { PlaceList } from './place-list.tsx'
import { scriptPath } from './script-path.ts'
import type { WorkerTabProps } from './worker-page.tsx'

/** Where the Worker is reached, when it runs by itself, and its end. */
export function SettingsTab(of: WorkerTabProps) {
  return (
    <>
      <HostName {...of} />
      <Routes {...of} />
      <CustomDomains {...of} />
      <Crons {...of} />
      <DeleteWorker {...of} />
    </>
  )
}

function HostName({ accountId, worker }: WorkerTabProps) {
  const path = scriptPath(accountId, worker.id, 'subdomain')
  const { data } = useAsk<{ readonly enabled: boolean }>(path)
  const whole = accountPath(accountId, 'workers/workers', worker.id)
  const { data: place } = useAsk<{ readonly subdomain: { readonly url: string } }>(whole)
  const change = useAct((enabled: boolean) => ask(path, { method: 'POST', body: { enabled } }), [path, whole])
  const isOn = change.isPending ? change.variables : (data?.enabled ?? false)
  return (
    <Section title="Host name" lead="Where its fetch() answers, whatever routes and custom domains it has.">
      <span className="flex items-center gap-3">
        <span className="shrink-0">
          <Switch
            aria-label="Reached at its own host name"
            checked={isOn}
            disabled={!data}
            transitioning={change.isPending}
            onCheckedChange={(enabled) => change.mutate(enabled)}
          />
        </span>
        <span className="font-mono text-sm break-all">{place?.subdomain.url}</span>
      </span>
      {change.error && <ProblemNote className="mt-4">{problemText(change.error)}</ProblemNote>}
    </Section>
  )
}

function Routes({ accountId, worker }: WorkerTabProps) {
  const { data: zones = [] } = useZones(accountId)
  const answers = useQueries({
    queries: zones.map(({ id }) => {
      const path = zonePath(id, 'workers/routes')
      return {
        queryKey: queryKey(path),
        queryFn: ({ signal }: { readonly signal: AbortSignal }) =>
          ask<readonly RouteBody[]>(path, { signal }),
      }
    }),
  })
  const zoneOfRoute = new Map<string, string>()
  const places = zones.flatMap(({ id: zoneId }, index) =>
    (answers[index]?.data ?? [])
      .filter(({ script }) => script === worker.id)
      .map(({ id, pattern }) => {
        zoneOfRoute.set(id, zoneId)
        return { id, text: pattern }
      }),
  )
  return (
    <PlaceList
      title="Routes"
      lead="Patterns of host and path, whose requests its fetch() answers."
      what="route"
      placeholder={`${zones[0]?.name ?? 'example.com'}/api/*`}
      places={places}
      onAdd={async (pattern) => {
        const zone = coveringZone(zones, pattern.replace(/^(https?:\/\/)?\*?\.?/, '').split('/', 1)[0] ?? '')
        if (!zone) throw new Error('The pattern begins with the name of one of your domains.')
        await ask(zonePath(zone.id, 'workers/routes'), {
          method: 'POST',
          body: { pattern, script: worker.id },
        })
      }}
      onRemove={({ id }) =>
        ask(zonePath(zoneOfRoute.get(id) ?? '', 'workers/routes', id), { method: 'DELETE' })
      }
      stale={['/client/v4/zones']}
    />
  )
}

function CustomDomains({ accountId, worker }: WorkerTabProps) {
  const path = accountPath(accountId, 'workers/domains')
  const { data = [] } = useAsk<readonly DomainBody[]>(path)
  const places = data
    .filter(({ service }) => service === worker.id)
    .map(({ id, hostname }) => ({ id, text: hostname }))
  return (
    <PlaceList
      title="Custom domains"
      lead="Host names of your domains that are this Worker’s as a whole."
      what="custom domain"
      placeholder="app.example.com"
      places={places}
      onAdd={(hostname) =>
        ask(scriptPath(accountId, worker.id, 'domains/records'), {
          method: 'PUT',
          body: { origins: [...places.map(({ text }) => ({ hostname: text })), { hostname }] },
        })
      }
      onRemove={({ id }) => ask(`${path}/${id}`, { method: 'DELETE' })}
      stale={[path]}
    />
  )
}

function Crons({ accountId, worker }: WorkerTabProps) {
  const path = scriptPath(accountId, worker.id, 'schedules')
  const { data } = useAsk<SchedulesBody>(path)
  const crons = data?.schedules.map(({ cron }) => cron) ?? []
  const put = (crons: readonly string[]) =>
    ask(path, { method: 'PUT', body: crons.map((cron) => ({ cron })) })
  return (
    <PlaceList
      title="Crons"
      lead="When its scheduled() runs by itself, in UTC."
      what="cron"
      placeholder="*/30 * * * *"
      places={crons.map((cron) => ({ id: cron, text: cron }))}
      onAdd={(cron) => put([...crons, cron])}
      onRemove={({ text }) => put(crons.filter((cron) => cron !== text))}
      stale={[path]}
    />
  )
}

function DeleteWorker({ accountId, worker }: WorkerTabProps) {
  const navigate = useNavigate()
  const [isAsked, setAsked] = useState(false)
  const remove = useAct(
    () => ask(withQuery(scriptPath(accountId, worker.id), { force: true }), { method: 'DELETE' }),
    [],
  )
  return (
    <Section
      title="Delete Worker"
      lead="With its versions and secrets. Routing rules that lead to it are disabled."
    >
      <Button variant="secondary-destructive" onClick={() => setAsked(true)}>
        Delete Worker
      </Button>
      <ConfirmDialog
        open={isAsked}
        onOpenChange={setAsked}
        title={`Delete ${worker.id}?`}
        action="Delete Worker"
        typed={worker.id}
        onConfirm={async () => {
          await remove.mutateAsync(undefined)
          await navigate({ to: '/$accountId/workers', params: { accountId } })
        }}
      >
        Mail for the addresses that lead to it is no longer processed, its routes and host names answer
        nobody, and other Workers that call it fail. This cannot be undone.
      </ConfirmDialog>
    </Section>
  )
}
