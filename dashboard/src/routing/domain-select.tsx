import { Select } from '@cloudflare/kumo/components/select'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'

interface DomainSelectProps {
  readonly domains: readonly RoutingSettingsBody[]
  readonly value: string
  readonly onChange: (name: string) => void
  readonly label?: string
  /** What stands for all of them, where that can be chosen: the value is '' then. */
  readonly all?: string
}

/** One of the names of a zone. Nothing where there is no choice. */
export function DomainSelect({ domains, value, onChange, label, all }: DomainSelectProps) {
  if (domains.length < 2 && domains.every(({ name }) => name === value || value === '')) return null
  const items = [
    ...(all === undefined ? [] : [{ value: '', label: all }]),
    ...domains.map(({ name }) => ({ value: name, label: name })),
  ]
  return (
    <Select
      {...(label === undefined ? { 'aria-label': 'Domain' } : { label })}
      value={value}
      items={items}
      onValueChange={(chosen) => {
        if (typeof chosen === 'string') onChange(chosen)
      }}
    >
      {items.map(({ value, label }) => (
        <Select.Option key={value} value={value}>
          {label}
        </Select.Option>
      ))}
    </Select>
  )
}
