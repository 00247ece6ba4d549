import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { type FormEvent, useState } from 'react'
import { fieldText } from '../parts/field-text.ts'
import { SearchSelect } from '../parts/search-select.tsx'
import { AUDIT_ACTIONS } from './audit-actions.ts'
import type { AuditLogSearch } from './routes.ts'

interface AuditFiltersProps {
  readonly search: AuditLogSearch
  readonly onSearch: (search: AuditLogSearch) => void
}

const EVERY = ''

/** What the log is narrowed to. */
export function AuditFilters({ search, onSearch }: AuditFiltersProps) {
  const [action, setAction] = useState(search.action ?? EVERY)

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const written = ['email', 'since', 'before'].map((name) => [name, fieldText(form, name)] as const)
    const wanted = [['action', action] as const, ...written].filter(([, value]) => value !== '')
    onSearch(Object.fromEntries(wanted))
  }

  return (
    <form
      className="mb-4 grid items-end gap-3 sm:grid-cols-2 lg:grid-cols-[1fr_1fr_1fr_1fr_auto]"
      onSubmit={submit}
    >
      <SearchSelect
        label="Action"
        search="Search actions"
        value={action}
        items={choices(action)}
        onChange={setAction}
      />
      <Input
        className="w-full"
        label="Who"
        name="email"
        type="email"
        placeholder="user@example.com"
        defaultValue={search.email}
      />
      <Input className="w-full" label="From" name="since" type="date" defaultValue={search.since} />
      <Input className="w-full" label="Before" name="before" type="date" defaultValue={search.before} />
      <Button type="submit">Search</Button>
    </form>
  )
}

/** By their words; an address may ask for a code that has none. */
function choices(action: string): readonly { readonly value: string; readonly label: string }[] {
  const known = Object.entries(AUDIT_ACTIONS)
    .map(([value, label]) => ({ value, label }))
    .toSorted((one, other) => one.label.localeCompare(other.label))
  const isUnknown = action !== EVERY && !Object.hasOwn(AUDIT_ACTIONS, action)
  return [
    { value: EVERY, label: 'Every action' },
    ...(isUnknown ? [{ value: action, label: action }] : []),
    ...known,
  ]
}
