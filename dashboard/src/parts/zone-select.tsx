import { Select } from '@cloudflare/kumo/components/select'
import { useZones } from './use-zones.ts'

interface ZoneSelectProps {
  readonly accountId: string
  /** Undefined: all of the account. */
  readonly value: string | undefined
  readonly onChange: (zoneId: string | undefined) => void
}

const ALL = 'all'

/** Chooses one domain of the account, or all of them. */
export function ZoneSelect({ accountId, value, onChange }: ZoneSelectProps) {
  const { data: zones, isLoading } = useZones(accountId)
  const items = [
    { value: ALL, label: 'All domains' },
    ...(zones ?? []).map(({ id, name }) => ({ value: id, label: name })),
  ]
  return (
    <Select
      aria-label="Domain"
      value={value ?? ALL}
      items={items}
      loading={value !== undefined && isLoading}
      onValueChange={(chosen) => onChange(chosen === ALL || chosen === null ? undefined : chosen)}
    >
      {items.map(({ value, label }) => (
        <Select.Option key={value} value={value}>
          {label}
        </Select.Option>
      ))}
    </Select>
  )
}
