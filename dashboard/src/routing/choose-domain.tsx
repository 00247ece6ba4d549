import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { Select } from '@cloudflare/kumo/components/select'
import { type FormEvent, useState } from 'react'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import type { ZoneBody } from '#contract/zones.ts'
import { ask } from '../api/ask.ts'
import { useEveryPage } from '../api/ask-every-page.ts'
import { Problem, problemText } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { fieldText } from '../parts/field-text.ts'
import { RowsSkeleton } from '../parts/rows-skeleton.tsx'
import { DnsRoadChoice } from '../sending/dns-road-choice.tsx'
import { DNS_ROADS, type DnsRoad } from '../sending/dns-roads.ts'
import { useSession } from '../session/session.ts'
import { useAccount } from '../shell/use-account.ts'
import { accountRoutingPath } from './routing-paths.ts'

interface ChooseDomainProps {
  readonly zoneId: string | undefined
  readonly onChoose: (zoneId: string) => void
}

const NEW = 'new'

/** One of the account's domains that do not take mail yet, or one that it did not have so far. */
export function ChooseDomain({ zoneId, onChoose }: ChooseDomainProps) {
  const { id } = useAccount()
  const zones = useEveryPage<RoutingSettingsBody>(accountRoutingPath(id, 'zones'))
  const [isNew, setNew] = useState(false)
  return (
    <Asked of={zones} skeleton={<RowsSkeleton rows={1} />}>
      {(all) => {
        const open = all.filter((zone) => !zone.enabled || zone.id === zoneId)
        const asksForName = isNew || (zoneId === undefined && open.length === 0)
        const items = [
          ...open.map(({ id, name }) => ({ value: id, label: name })),
          { value: NEW, label: 'A domain that is not in the account yet…' },
        ]
        return (
          <div className="flex max-w-xl flex-col gap-4">
            <Select
              label="Domain"
              className="w-full"
              placeholder="Choose a domain"
              value={asksForName ? NEW : (zoneId ?? null)}
              items={items}
              onValueChange={(chosen) => {
                setNew(chosen === NEW)
                if (typeof chosen === 'string' && chosen !== NEW) onChoose(chosen)
              }}
            >
              {items.map(({ value, label }) => (
                <Select.Option key={value} value={value}>
                  {label}
                </Select.Option>
              ))}
            </Select>
            {asksForName && (
              <NewDomain
                onMade={(zone) => {
                  setNew(false)
                  onChoose(zone)
                }}
              />
            )}
          </div>
        )
      }}
    </Asked>
  )
}

function NewDomain({ onMade }: { readonly onMade: (zoneId: string) => void }) {
  const { id } = useAccount()
  const { development } = useSession()
  // In development every zone is its maker's at once, and hosting it asks nothing of anybody.
  const [road, setRoad] = useState<DnsRoad>(development ? 'full' : 'manual')
  const add = useAct(
    (name: string) =>
      ask<ZoneBody>('/client/v4/zones', {
        method: 'POST',
        body: { name, account: { id }, ...DNS_ROADS[road].wish },
      }),
    ['/client/v4/zones', accountRoutingPath(id, 'zones')],
  )
  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const name = fieldText(new FormData(event.currentTarget), 'name')
    onMade((await add.mutateAsync(name)).id)
  }
  const atField = add.error instanceof Problem ? add.error.at('/name') : undefined
  const error = atField ?? (add.error ? problemText(add.error) : undefined)
  return (
    <form className="flex flex-col gap-4" onSubmit={(event) => void submit(event).catch(() => undefined)}>
      <Input
        label="Domain name"
        name="name"
        placeholder="example.com"
        autoComplete="off"
        required
        {...(error !== undefined && { error })}
      />
      <DnsRoadChoice value={road} onChange={setRoad} />
      <div>
        <Button type="submit" variant="primary" loading={add.isPending}>
          Add domain
        </Button>
      </div>
    </form>
  )
}
