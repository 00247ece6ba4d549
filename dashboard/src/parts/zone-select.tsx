import { SearchSelect } from './search-select.tsx'
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
  return (
    <SearchSelect
      label="Domain"
      isLabelHidden
      className="max-w-60"
      search="Search domains"
      value={value ?? ALL}
      items={[
        { value: ALL, label: 'All domains' },
        ...(zones ?? []).map(({ id, name }) => ({ value: id, label: name })),
      ]}
      isLoading={isLoading}
      onChange={(chosen) => onChange(chosen === ALL ? undefined : chosen)}
    />
  )
}
