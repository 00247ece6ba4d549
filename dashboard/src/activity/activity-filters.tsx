import { Button } from '@cloudflare/kumo/components/button'
import { DropdownMenu } from '@cloudflare/kumo/components/dropdown'
import { Input } from '@cloudflare/kumo/components/input'
import { Select } from '@cloudflare/kumo/components/select'
import { CaretDownIcon, FunnelIcon, XIcon } from '@phosphor-icons/react'
import { useEffect, useState } from 'react'
import { ask } from '../api/ask.ts'
import { causeText } from '../parts/cause-text.ts'
import { fieldText } from '../parts/field-text.ts'
import { FormDialog } from '../parts/form-dialog.tsx'
import { statusesOf } from '../parts/mail-status.ts'
import { CAUSES } from './causes.ts'
import { FILTER_FIELDS, type Log, logPath } from './filters.ts'
import type { ActivitySearch } from './routes.ts'

interface ActivityFiltersProps {
  readonly log: Log
  readonly onSearch: (search: ActivitySearch) => void
}

type FieldName = keyof typeof FILTER_FIELDS
const FIELDS = Object.keys(FILTER_FIELDS) as FieldName[]

/** What the log is narrowed by; all of it stands in the URL. */
export function ActivityFilters({ log, onSearch }: ActivityFiltersProps) {
  const { search } = log
  const [isOpen, setOpen] = useState(false)
  const set = FIELDS.filter((name) => search[name] !== undefined)

  function without(name: FieldName) {
    const { [name]: _, ...rest } = search
    onSearch(rest)
  }

  async function apply(form: FormData) {
    const given = Object.fromEntries(
      FIELDS.flatMap((name) => {
        const text = fieldText(form, name)
        return text === '' ? [] : [[name, text]]
      }),
    )
    const rest = Object.fromEntries(
      Object.entries(search).filter(([name]) => !FIELDS.some((field) => field === name)),
    )
    const next: ActivitySearch = { ...rest, ...given }
    // What cannot be looked for is said in the dialog.
    await ask(logPath({ ...log, search: next }, { per_page: 1 }))
    onSearch(next)
  }

  return (
    <div className="mb-4 flex flex-wrap items-center gap-2">
      <SearchText log={log} onSearch={onSearch} />
      <StatusMenu log={log} onSearch={onSearch} />
      <Button icon={<FunnelIcon />} onClick={() => setOpen(true)}>
        Filter
      </Button>
      {set.map((name) => (
        <span
          key={name}
          className="flex max-w-full items-center gap-1 rounded-lg border border-kumo-hairline bg-kumo-base py-0.5 pl-3"
        >
          <span className="truncate text-sm">
            {FILTER_FIELDS[name].label}:{' '}
            <bdi>{name === 'cause' ? causeText(search[name] ?? '') : search[name]}</bdi>
          </span>
          <Button
            size="sm"
            variant="ghost"
            shape="square"
            aria-label={`Remove the filter ${FILTER_FIELDS[name].label}`}
            icon={<XIcon />}
            onClick={() => without(name)}
          />
        </span>
      ))}
      <FormDialog
        open={isOpen}
        onOpenChange={setOpen}
        title="Filter the log"
        lead="All of them hold together."
        action="Show"
        onSubmit={apply}
      >
        <div className="grid items-start gap-4 sm:grid-cols-2">
          {FIELDS.filter((name) => name !== 'rule' || log.direction === 'routing').map((name) =>
            name === 'cause' ? (
              <CauseField key={`cause ${search.cause ?? ''}`} current={search.cause ?? ''} />
            ) : (
              <Input
                // A field keeps what it began with.
                key={`${name} ${search[name] ?? ''}`}
                name={name}
                label={FILTER_FIELDS[name].label}
                description={FILTER_FIELDS[name].hint}
                defaultValue={search[name] ?? ''}
                autoComplete="off"
              />
            ),
          )}
        </div>
      </FormDialog>
    </div>
  )
}

/** The cause that is set stays, also one that another version writes. */
function CauseField({ current }: { readonly current: string }) {
  const causes = new Set<string>([...CAUSES, ...(current === '' ? [] : [current])])
  const items = [
    { value: '', label: 'Any' },
    ...[...causes].map((value) => ({ value, label: causeText(value) })),
  ]
  return (
    <Select
      name="cause"
      label={FILTER_FIELDS.cause.label}
      description={FILTER_FIELDS.cause.hint}
      className="w-full"
      items={items}
      defaultValue={current}
    >
      {items.map(({ value, label }) => (
        <Select.Option key={value} value={value}>
          {label}
        </Select.Option>
      ))}
    </Select>
  )
}

/** Looks as one writes. */
function SearchText({ log: { search }, onSearch }: ActivityFiltersProps) {
  const current = search.search ?? ''
  const [text, setText] = useState(current)
  const [shown, setShown] = useState(current)
  if (shown !== current) {
    setShown(current)
    setText(current)
  }
  useEffect(() => {
    const wanted = text.trim()
    if (wanted === current) return undefined
    const timer = setTimeout(() => {
      const { search: _, ...rest } = search
      onSearch(wanted === '' ? rest : { ...rest, search: wanted })
    }, 300)
    return () => clearTimeout(timer)
  }, [text, current, search, onSearch])
  return (
    <Input
      type="search"
      aria-label="Search the log"
      placeholder="Address, subject, error or message ID"
      className="w-full sm:w-80"
      value={text}
      onChange={(event) => setText(event.target.value)}
    />
  )
}

function StatusMenu({ log: { search, direction }, onSearch }: ActivityFiltersProps) {
  const chosen = new Set((search.status ?? '').split(',').filter((word) => word !== ''))
  const statuses = statusesOf(direction)
  const label = statuses.filter(({ status }) => chosen.has(status)).map(({ label }) => label)

  function change(status: string, isChosen: boolean) {
    const next = statuses
      .map(({ status }) => status)
      .filter((word) => (word === status ? isChosen : chosen.has(word)))
    const { status: _, ...rest } = search
    onSearch(next.length === 0 ? rest : { ...rest, status: next.join(',') })
  }

  return (
    <DropdownMenu>
      <DropdownMenu.Trigger
        render={
          <Button>
            Status: {label.length === 0 ? 'all' : label.join(', ')}
            <CaretDownIcon />
          </Button>
        }
      />
      <DropdownMenu.Content>
        {statuses.map(({ status, label }) => (
          <DropdownMenu.CheckboxItem
            key={status}
            checked={chosen.has(status)}
            onCheckedChange={(isChosen) => change(status, isChosen)}
          >
            {label}
          </DropdownMenu.CheckboxItem>
        ))}
      </DropdownMenu.Content>
    </DropdownMenu>
  )
}
