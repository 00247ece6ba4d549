import { Button } from '@cloudflare/kumo/components/button'
import { Switch } from '@cloudflare/kumo/components/switch'
import { useKumoToastManager } from '@cloudflare/kumo/components/toast'
import { type FormEvent, useState } from 'react'
import type { CatchAllResult } from '#contract/rules.ts'
import { ask } from '../api/ask.ts'
import { Problem, problemText } from '../api/problem.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { RowsSkeleton } from '../parts/rows-skeleton.tsx'
import { ActionFields } from './action-fields.tsx'
import { DomainSelect } from './domain-select.tsx'
import type { DomainTabProps } from './domain-tab.ts'
import { actionOf, actionsOf, type RuleState, stateOf } from './read-rule.ts'
import { routingPath } from './routing-paths.ts'
import { catchAllPath } from './use-catch-alls.ts'
import { type Targets, useTargets } from './use-targets.ts'

/** What becomes of mail that no rule is for. */
export function CatchAllTab({ zoneId, zone, domains, domain, onDomain }: DomainTabProps) {
  const name = domain ?? domains[0]?.name ?? zone.name
  const catchAll = useAsk<CatchAllResult>(catchAllPath(zoneId, name))
  const targets = useTargets()
  return (
    <Section
      title="Catch-all rule"
      lead={`What becomes of mail for every address of ${name} that no rule is for, misspelled ones too.`}
      actions={<DomainSelect domains={domains} value={name} onChange={onDomain} />}
    >
      <Asked of={catchAll}>
        {(rule) =>
          targets ? (
            <CatchAllForm
              key={`${name} ${rule.id}`}
              zoneId={zoneId}
              domain={name}
              rule={rule}
              targets={targets}
            />
          ) : (
            <RowsSkeleton />
          )
        }
      </Asked>
    </Section>
  )
}

interface CatchAllFormProps {
  readonly zoneId: string
  readonly domain: string
  readonly rule: CatchAllResult
  readonly targets: Targets
}

function CatchAllForm({ zoneId, domain, rule, targets }: CatchAllFormProps) {
  const toasts = useKumoToastManager()
  const state = stateOf(rule, targets.addresses)
  const [enabled, setEnabled] = useState(state !== 'disabled')
  const [action, setAction] = useState(actionOf(rule))
  const save = useAct(
    () =>
      ask(catchAllPath(zoneId, domain), {
        method: 'PUT',
        body: { matchers: [{ type: 'all' }], actions: actionsOf(action), enabled },
      }),
    [routingPath(zoneId, 'rules')],
  )
  const isWhole = action.type === 'drop' || action.target !== ''
  function submit(event: FormEvent) {
    event.preventDefault()
    save.mutate(undefined, {
      onSuccess: () => toasts.add({ variant: 'success', title: `Catch-all rule of ${domain} saved` }),
    })
  }
  const atField = save.error instanceof Problem ? save.error.at('/actions/0/value/0') : undefined
  return (
    <form className="flex max-w-xl flex-col gap-4" onSubmit={submit}>
      <span className="flex items-center gap-2">
        <Switch aria-label="Catch-all rule" checked={enabled} onCheckedChange={setEnabled} />
        <span aria-hidden>{wordOf(enabled, state)}</span>
      </span>
      <ActionFields value={action} onChange={setAction} targets={targets} error={atField} />
      {save.error && atField === undefined && <ProblemNote>{problemText(save.error)}</ProblemNote>}
      <div>
        <Button type="submit" variant="primary" loading={save.isPending} disabled={!isWhole}>
          Save
        </Button>
      </div>
    </form>
  )
}

/** As it is wanted here, and as it was saved. */
function wordOf(enabled: boolean, state: RuleState): string {
  if (!enabled) return 'Disabled'
  return state === 'unverified' ? 'Waiting for verification' : 'Active'
}
