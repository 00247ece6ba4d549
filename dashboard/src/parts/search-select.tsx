import { Combobox } from '@cloudflare/kumo/components/combobox'
import { Select } from '@cloudflare/kumo/components/select'
import { Combobox as Parts } from '@cloudflare/kumo/primitives/combobox'

interface Choice {
  readonly value: string
  readonly label: string
}

interface SearchSelectProps {
  readonly label: string
  /** For those who hear the page alone. */
  readonly isLabelHidden?: boolean
  readonly description?: string
  /** Of the field in the list: "Search domains". */
  readonly search: string
  readonly items: readonly Choice[]
  readonly value: string
  readonly onChange: (value: string) => void
  /** What there is to choose from is not there yet. */
  readonly isLoading?: boolean
  /** Of the field; as wide as its place unless given. */
  readonly className?: string
}

/** So many that one looks for a name rather than down the list. */
const MANY = 10
/** Of hundreds the rest is found by their names. */
const MOST_SHOWN = 50

/** Chooses one of a few, or of as many as an account may have. */
export function SearchSelect(props: SearchSelectProps) {
  const { label, isLabelHidden = false, description, items, value, onChange } = props
  const { isLoading = false, className = 'w-full' } = props
  if (items.length > MANY) return <LongSelect {...props} />
  return (
    <Select
      {...(isLabelHidden ? { 'aria-label': label } : { label, description })}
      className={className}
      items={[...items]}
      value={value}
      loading={isLoading && items.every((item) => item.value !== value)}
      disabled={isLoading}
      onValueChange={(chosen) => {
        if (chosen !== null) onChange(chosen)
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

function LongSelect(props: SearchSelectProps) {
  const { label, isLabelHidden = false, description, search, items, value, onChange } = props
  const { className = 'w-full' } = props
  return (
    <Combobox
      {...(!isLabelHidden && { label, description })}
      items={[...items]}
      limit={MOST_SHOWN}
      value={items.find((item) => item.value === value) ?? null}
      isItemEqualToValue={(one, other) => one.value === other.value}
      onValueChange={(chosen) => {
        if (chosen !== null) onChange(chosen.value)
      }}
    >
      <Combobox.TriggerValue
        className={className}
        render={<button type="button" {...(isLabelHidden && { 'aria-label': label })} />}
      >
        {(chosen: Choice | null) => <span className="min-w-0 truncate">{chosen?.label}</span>}
      </Combobox.TriggerValue>
      {/* The library's own list is a dialog without a name (WCAG 4.1.2): this is the same, with one. */}
      <Parts.Portal>
        <Parts.Positioner align="start" sideOffset={4}>
          <Parts.Popup
            aria-label={label}
            className="flex max-h-[min(var(--available-height),24rem)] w-(--anchor-width) max-w-(--available-width) min-w-64 flex-col rounded-lg bg-kumo-base py-1.5 text-kumo-default shadow-lg ring ring-kumo-line"
          >
            <Combobox.Input aria-label={search} placeholder={search} />
            <Combobox.Empty>Nothing has that in its name.</Combobox.Empty>
            <Combobox.List>
              {(item: Choice) => (
                <Combobox.Item key={item.value} value={item} className="break-all">
                  {item.label}
                </Combobox.Item>
              )}
            </Combobox.List>
            <p className="mx-1.5 mt-1.5 border-t border-kumo-hairline px-2 pt-1.5 text-sm text-kumo-subtle">
              {items.length.toLocaleString()} in all. A part of the name finds one.
            </p>
          </Parts.Popup>
        </Parts.Positioner>
      </Parts.Portal>
    </Combobox>
  )
}
