import { Link } from '@cloudflare/kumo/components/link'
import { Select } from '@cloudflare/kumo/components/select'
import type { ReactNode } from 'react'
import { useAccount } from '../shell/use-account.ts'
import { ACTION_LABELS } from './action-labels.ts'
import type { RuleAction } from './read-rule.ts'
import type { Targets } from './use-targets.ts'

const ACTIONS = ['forward', 'worker', 'drop'] as const

interface ActionFieldsProps {
  readonly value: RuleAction
  readonly onChange: (action: RuleAction) => void
  readonly targets: Targets
  /** What was refused about the target. */
  readonly error?: string | undefined
}

/** What becomes of mail, and where it goes. */
export function ActionFields({ value, onChange, targets, error }: ActionFieldsProps) {
  const items = ACTIONS.map((type) => ({ value: type, label: ACTION_LABELS[type] }))
  return (
    <>
      <Select
        label="Action"
        className="w-full"
        value={value.type}
        items={items}
        onValueChange={(type) => {
          if (type !== null && type !== value.type) onChange({ type, target: '' })
        }}
      >
        {items.map(({ value, label }) => (
          <Select.Option key={value} value={value}>
            {label}
          </Select.Option>
        ))}
      </Select>
      {value.type === 'forward' && (
        <Destination value={value} onChange={onChange} targets={targets} error={error} />
      )}
      {value.type === 'worker' && (
        <WorkerTarget value={value} onChange={onChange} targets={targets} error={error} />
      )}
      {value.type === 'drop' && (
        <p className="text-sm text-kumo-subtle">
          The message is accepted and deleted: to its sender the address looks valid.
        </p>
      )}
    </>
  )
}

function Destination({ value: { target }, onChange, targets: { addresses }, error }: ActionFieldsProps) {
  const { id } = useAccount()
  const link = <Link href={`/${id}/routing/addresses`}>Destination addresses</Link>
  if (addresses.length === 0 && target === '') {
    return (
      <Nothing error={error}>
        There is no destination address yet. Add one under {link}, and verify it.
      </Nothing>
    )
  }
  const known = addresses.map(({ email, verified }) => ({
    value: email,
    label: verified === null ? `${email} (Pending)` : email,
  }))
  const chosen = addresses.find(({ email }) => email === target)
  return (
    <Chosen
      label="Destination"
      placeholder="Choose a destination address"
      target={target}
      known={known}
      onChoose={(target) => onChange({ type: 'forward', target })}
      error={error}
      description={
        chosen?.verified === null ? (
          <>The rule stays disabled until the owner of the address has verified it.</>
        ) : (
          <>More of them under {link}.</>
        )
      }
    />
  )
}

function WorkerTarget({ value: { target }, onChange, targets: { workers }, error }: ActionFieldsProps) {
  const { id } = useAccount()
  const link = <Link href={`/${id}/workers`}>Email Workers</Link>
  if (workers.length === 0 && target === '') {
    return (
      <Nothing error={error}>
        There is no Worker yet. How one is deployed to this instance stands under {link}.
      </Nothing>
    )
  }
  const chosen = workers.find((worker) => worker.id === target)
  return (
    <Chosen
      label="Worker"
      placeholder="Choose a Worker"
      target={target}
      known={workers.map(({ id }) => ({ value: id, label: id }))}
      onChoose={(target) => onChange({ type: 'worker', target })}
      error={error}
      description={
        chosen && !chosen.handlers.includes('email')
          ? 'This Worker has no email() handler: messages to it would fail.'
          : undefined
      }
    />
  )
}

/** In place of a choice, where there is nothing to choose from. */
function Nothing({ error, children }: { readonly error: string | undefined; readonly children: ReactNode }) {
  return (
    <div>
      <p>{children}</p>
      {error !== undefined && (
        <p role="alert" className="mt-1 text-sm text-kumo-danger">
          {error}
        </p>
      )}
    </div>
  )
}

function Chosen({
  label,
  placeholder,
  target,
  known,
  onChoose,
  error,
  description,
}: {
  readonly label: string
  readonly placeholder: string
  readonly target: string
  readonly known: readonly { readonly value: string; readonly label: string }[]
  readonly onChoose: (target: string) => void
  readonly error?: string | undefined
  readonly description?: ReactNode
}) {
  // What a rule leads to may be gone meanwhile.
  const isKnown = target === '' || known.some(({ value }) => value === target)
  const items = isKnown ? known : [...known, { value: target, label: `${target} (gone)` }]
  return (
    <Select
      label={label}
      className="w-full"
      placeholder={placeholder}
      value={target === '' ? null : target}
      items={items}
      onValueChange={(value) => {
        if (typeof value === 'string') onChoose(value)
      }}
      {...(error !== undefined && { error })}
      {...(description !== undefined && { description })}
    >
      {items.map(({ value, label }) => (
        <Select.Option key={value} value={value}>
          {label}
        </Select.Option>
      ))}
    </Select>
  )
}
