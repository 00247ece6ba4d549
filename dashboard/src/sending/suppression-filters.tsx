import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { Select } from '@cloudflare/kumo/components/select'
import { MagnifyingGlassIcon } from '@phosphor-icons/react'
import { type FormEvent, useState } from 'react'
import { SearchSelect } from '../parts/search-select.tsx'
import { type SuppressionsSearch, suppressionsRoute } from './routes.ts'
import { isReason, REASONS } from './suppression-reasons.ts'
import { useSendingDomains } from './use-account-domains.ts'

const ANY = 'any'
const reasonItems = [
  { value: ANY, label: 'Every reason' },
  ...Object.entries(REASONS).map(([value, { label }]) => ({ value, label })),
]

export function SuppressionFilters({ accountId }: { readonly accountId: string }) {
  const search = suppressionsRoute.useSearch()
  const navigate = suppressionsRoute.useNavigate()
  const { data: domains = [], isLoading } = useSendingDomains(accountId)
  const [written, setWritten] = useState(search.search ?? '')
  const names = [...new Set([...domains.map(({ name }) => name), ...(search.scope ? [search.scope] : [])])]
  const scopeItems = [
    { value: ANY, label: 'Every scope' },
    { value: 'account', label: 'Whole account' },
    ...names.filter((name) => name !== 'account').map((name) => ({ value: name, label: name })),
  ]

  function show(change: { [Name in keyof SuppressionsSearch]: SuppressionsSearch[Name] | undefined }) {
    const { search: text, reason, scope } = { ...search, ...change }
    void navigate({
      search: { ...(text && { search: text }), ...(reason && { reason }), ...(scope && { scope }) },
    })
  }

  function submit(event: FormEvent) {
    event.preventDefault()
    show({ search: written.trim() })
  }

  return (
    <search className="mb-4 grid gap-3 md:grid-cols-[minmax(0,1fr)_12rem_14rem]">
      <form className="flex gap-2" onSubmit={submit}>
        <Input
          aria-label="Search addresses"
          type="search"
          className="w-full"
          placeholder="alex@example.com, or alex for any domain"
          value={written}
          onChange={({ target }) => {
            setWritten(target.value)
            if (target.value === '') show({ search: undefined })
          }}
        />
        <Button type="submit" shape="square" aria-label="Search" icon={<MagnifyingGlassIcon />} />
      </form>
      <Select
        aria-label="Reason"
        className="w-full"
        items={reasonItems}
        value={search.reason ?? ANY}
        onValueChange={(reason) => show({ reason: isReason(reason) ? reason : undefined })}
      />
      <SearchSelect
        label="Scope"
        isLabelHidden
        search="Search domains"
        isLoading={isLoading}
        items={scopeItems}
        value={search.scope ?? ANY}
        onChange={(scope) => show({ scope: scope === ANY ? undefined : scope })}
      />
    </search>
  )
}
