import { Input } from '@cloudflare/kumo/components/input'
import { Select } from '@cloudflare/kumo/components/select'
import { useState } from 'react'
import type { RuleBody, RuleResult } from '#contract/rules.ts'
import { ask } from '../api/ask.ts'
import { Problem } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { fieldText } from '../parts/field-text.ts'
import { FormDialog } from '../parts/form-dialog.tsx'
import { useAccount } from '../shell/use-account.ts'
import { ActionFields } from './action-fields.tsx'
import { checkLocalPart } from './check-local-part.ts'
import { actionOf, actionsOf, addressOf, domainOf, isGone, type RuleAction } from './read-rule.ts'
import { accountRoutingPath, routingPath } from './routing-paths.ts'
import type { Targets } from './use-targets.ts'

interface RuleDialogProps {
  readonly zoneId: string
  /** Absent: a new one. */
  readonly rule?: RuleResult
  readonly onClose: () => void
  /** Names that a rule may be for. */
  readonly domains: readonly string[]
  /** The one that a new rule is for at first. */
  readonly domain: string
  readonly rules: readonly RuleResult[]
  readonly targets: Targets
}

/** What may be refused of a pattern, a target and a name. */
const FIELDS = ['/matchers/0/value', '/actions/0/value/0', '/name'] as const

/** Creates or changes a routing rule. */
export function RuleDialog({ zoneId, rule, onClose, domains, domain, rules, targets }: RuleDialogProps) {
  const account = useAccount()
  const before = rule && addressOf(rule)
  const [local, setLocal] = useState(before?.slice(0, before.lastIndexOf('@')) ?? '')
  const [host, setHost] = useState(before === undefined ? domain : domainOf(before))
  const [action, setAction] = useState(rule ? actionOf(rule) : { type: 'forward' as const, target: '' })
  const [problem, setProblem] = useState<Problem>()
  /** How often a field was found wanting, which is said there. */
  const [refusals, setRefusals] = useState(0)
  const isTried = refusals > 0
  const path = routingPath(zoneId, 'rules')
  const save = useAct(
    (body: RuleBody) =>
      ask<RuleResult>(rule ? `${path}/${rule.id}` : path, { method: rule ? 'PUT' : 'POST', body }),
    [path, accountRoutingPath(account.id, 'rules')],
  )

  const address = `${local.trim()}@${host}`
  const isEmpty = isTried && local.trim() === ''
  const wrong = isEmpty
    ? 'Say which address the rule is for.'
    : (checkLocalPart(local.trim()) ?? problem?.at(FIELDS[0]))
  const wrongTarget = (isTried && lackOf(action)) || problem?.at(FIELDS[1])
  const wrongName = problem?.at(FIELDS[2])
  // It was switched off as that went.
  const isMended = rule?.enabled === false && isGone(actionOf(rule), targets) && !isGone(action, targets)
  const twin = rules.find(
    (each) => each.id !== rule?.id && addressOf(each).toLowerCase() === address.toLowerCase(),
  )
  const hosts = domains.includes(host) ? domains : [...domains, host]

  async function submit(form: FormData) {
    setProblem(undefined)
    if (local.trim() === '' || checkLocalPart(local.trim()) !== undefined || lackOf(action) !== undefined) {
      setRefusals(refusals + 1)
      throw new Error('What is named above has to be mended first.')
    }
    try {
      await save.mutateAsync({
        matchers: [{ type: 'literal', field: 'to', value: address }],
        actions: actionsOf(action),
        name: fieldText(form, 'name'),
        ...(!rule && { priority: lastPriority(rules) }),
        ...((!rule || isMended) && { enabled: true }),
      })
    } catch (error) {
      if (error instanceof Problem) {
        setProblem(error)
        if (FIELDS.some((pointer) => error.at(pointer) !== undefined)) setRefusals(refusals + 1)
      }
      throw error
    }
  }

  return (
    <FormDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose()
      }}
      title={rule ? 'Edit routing rule' : 'Create routing rule'}
      action="Save"
      // What its fields say is not said once more below them.
      about={`${refusals} ${address} ${action.type} ${action.target}`}
      onSubmit={submit}
      lead={
        rule?.source === 'wrangler'
          ? 'This rule is managed by wrangler. Saved here it is no more: the next wrangler deploy asks before it takes it back.'
          : undefined
      }
    >
      <div className="grid items-start gap-4 sm:grid-cols-2">
        <Input
          label="Email pattern"
          placeholder="support"
          value={local}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => {
            setProblem(undefined)
            setLocal(event.target.value)
          }}
          {...(wrong !== undefined && { error: wrong })}
        />
        <Select
          label="Domain"
          className="w-full"
          value={host}
          items={hosts.map((name) => ({ value: name, label: `@${name}` }))}
          onValueChange={(name) => {
            if (typeof name === 'string') setHost(name)
          }}
        >
          {hosts.map((name) => (
            <Select.Option key={name} value={name}>
              @{name}
            </Select.Option>
          ))}
        </Select>
      </div>
      <p className="text-sm text-kumo-subtle" role="status">
        {wrong !== undefined ? null : local.trim() === '' ? (
          'The address that the rule is for.'
        ) : (
          <>
            Mail for <span className="font-mono">{address}</span>
            {twin && ' has a rule already: of the two only the one that stands first is tried.'}
          </>
        )}
      </p>
      <ActionFields
        value={action}
        onChange={(chosen) => {
          setProblem(undefined)
          setAction(chosen)
        }}
        targets={targets}
        error={wrongTarget}
      />
      {isMended && (
        <p className="text-sm text-kumo-subtle" role="status">
          What it led to was deleted, which disabled it: saved, it is active again.
        </p>
      )}
      <Input
        label="Name"
        name="name"
        placeholder="What it is for, if you like"
        defaultValue={rule?.name ?? ''}
        maxLength={256}
        {...(wrongName !== undefined && { error: wrongName })}
      />
    </FormDialog>
  )
}

/** What an action lacks that was not chosen yet. */
function lackOf({ type, target }: RuleAction): string | undefined {
  if (type === 'drop' || target !== '') return undefined
  return type === 'forward' ? 'Choose a destination address.' : 'Choose a Worker.'
}

/** New rules stand last. */
function lastPriority(rules: readonly RuleResult[]): number {
  return Math.max(0, ...rules.map(({ priority }) => priority))
}
