import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { Select } from '@cloudflare/kumo/components/select'
import { type FormEvent, useState } from 'react'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'
import { useEveryPage } from '../api/ask-every-page.ts'
import { DnsRoadChoice } from '../domains/dns-road-choice.tsx'
import { useNewZone } from '../domains/use-new-zone.ts'
import { Asked } from '../parts/asked.tsx'
import { fieldText } from '../parts/field-text.ts'
import { ProblemNote } from '../parts/problem-note.tsx'
import { RowsSkeleton } from '../parts/rows-skeleton.tsx'
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
  const { road, setRoad, create, isPending, nameProblem, otherProblem } = useNewZone(id)
  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const name = fieldText(new FormData(event.currentTarget), 'name')
    onMade((await create(name)).id)
  }
  return (
    <form className="flex flex-col gap-4" onSubmit={(event) => void submit(event).catch(() => undefined)}>
      <Input
        label="Domain name"
        name="name"
        placeholder="example.com"
        autoComplete="off"
        required
        {...(nameProblem !== undefined && { error: nameProblem })}
      />
      <DnsRoadChoice value={road} onChange={setRoad} />
      {otherProblem !== undefined && <ProblemNote>{otherProblem}</ProblemNote>}
      <div>
        <Button type="submit" variant="primary" loading={isPending}>
          Add domain
        </Button>
      </div>
    </form>
  )
}
