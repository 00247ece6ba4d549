import { Input } from '@cloudflare/kumo/components/input'
import { Select } from '@cloudflare/kumo/components/select'
import { useState } from 'react'

const DAY_MS = 86_400_000
const CHOICES = {
  never: 'Never',
  '7': 'In 7 days',
  '30': 'In 30 days',
  '90': 'In 90 days',
  at: 'At a time…',
} as const

export interface Expiry {
  readonly choice: keyof typeof CHOICES
  /** As a `datetime-local` field has it, in the viewer's zone; of `at`. */
  readonly at: string
}

export const NO_EXPIRY: Expiry = { choice: 'never', at: '' }

/** As the API has it; null for never. */
export function expiryTime({ choice, at }: Expiry): string | null {
  if (choice === 'never') return null
  if (choice === 'at') return at === '' ? null : new Date(at).toISOString()
  return new Date(Date.now() + Number(choice) * DAY_MS).toISOString()
}

export function expiryOf(time: string | null): Expiry {
  return time === null ? NO_EXPIRY : { choice: 'at', at: localTime(new Date(time)) }
}

function localTime(time: Date): string {
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

interface ExpiryFieldProps {
  readonly value: Expiry
  readonly onChange: (expiry: Expiry) => void
  readonly problem?: string | undefined
}

export function ExpiryField({ value, onChange, problem }: ExpiryFieldProps) {
  const [now] = useState(() => localTime(new Date()))
  return (
    <div className="grid items-start gap-4 sm:grid-cols-2">
      <Select
        label="Expires"
        className="w-full"
        items={CHOICES}
        value={value.choice}
        onValueChange={(choice) => onChange({ ...value, choice: choice ?? 'never' })}
        {...(problem !== undefined && { error: problem })}
      />
      {value.choice === 'at' && (
        <Input
          label="At"
          type="datetime-local"
          required
          min={now}
          value={value.at}
          onChange={({ target }) => onChange({ ...value, at: target.value })}
        />
      )}
    </div>
  )
}
