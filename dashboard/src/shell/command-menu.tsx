import { CommandPalette } from '@cloudflare/kumo/components/command-palette'
import { Dialog } from '@cloudflare/kumo/components/dialog'
import { useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { focusOnceClosed } from '../parts/focus-once-closed.ts'
import type { NavigationEntry, NavigationGroup } from './navigation.ts'

interface CommandMenuProps {
  readonly groups: readonly NavigationGroup[]
  readonly open: boolean
  readonly onOpenChange: (open: boolean) => void
}

/** Go anywhere by typing. */
export function CommandMenu({ groups, open, onOpenChange }: CommandMenuProps) {
  const navigate = useNavigate()
  const [search, setSearch] = useState('')
  // The library's menu gives the focus back to nobody. This is drawn before its field takes it.
  const [opener] = useState(() => document.activeElement)
  useEffect(() => () => focusOnceClosed(opener), [opener])
  function go({ href }: NavigationEntry) {
    onOpenChange(false)
    void navigate({ href })
  }
  const wanted = search.trim().toLowerCase()
  const found = groups
    .map(({ label, entries }) => ({
      label,
      items: entries.filter((entry) => `${label} ${entry.label}`.toLowerCase().includes(wanted)),
    }))
    .filter(({ items }) => items.length > 0)
  return (
    <CommandPalette.Root
      open={open}
      onOpenChange={onOpenChange}
      items={found}
      value={search}
      onValueChange={setSearch}
      itemToStringValue={(group) => group.label}
      onSelect={go}
      getSelectableItems={(groups) => groups.flatMap(({ items }) => items)}
    >
      <Dialog.Title className="sr-only">Go to a page</Dialog.Title>
      <CommandPalette.Input placeholder="Go to…" aria-label="Go to…" />
      <CommandPalette.List>
        <CommandPalette.Results>
          {(group: (typeof found)[number]) => (
            <CommandPalette.Group key={group.label} items={group.items}>
              <CommandPalette.GroupLabel>{group.label}</CommandPalette.GroupLabel>
              <CommandPalette.Items>
                {(entry: NavigationEntry) => (
                  <CommandPalette.Item key={entry.href} value={entry} onClick={() => go(entry)}>
                    <span className="flex items-center gap-3">
                      <entry.icon aria-hidden />
                      {entry.label}
                    </span>
                  </CommandPalette.Item>
                )}
              </CommandPalette.Items>
            </CommandPalette.Group>
          )}
        </CommandPalette.Results>
        <CommandPalette.Empty>Nothing has that name.</CommandPalette.Empty>
      </CommandPalette.List>
    </CommandPalette.Root>
  )
}
