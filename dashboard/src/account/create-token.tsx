import { Checkbox } from '@cloudflare/kumo/components/checkbox'
import { Input } from '@cloudflare/kumo/components/input'
import { Select } from '@cloudflare/kumo/components/select'
import { useState } from 'react'
import type { TokenBody } from '#contract/tokens.ts'
import { ask } from '../api/ask.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { fieldText } from '../parts/field-text.ts'
import { FormDialog } from '../parts/form-dialog.tsx'
import { SearchSelect } from '../parts/search-select.tsx'
import { useZones } from '../parts/use-zones.ts'
import { useAccount } from '../shell/use-account.ts'
import type { MadeSecret } from './new-secret.tsx'

interface PermissionGroup {
  readonly id: string
  readonly name: string
  readonly category: string
  readonly is_selectable: boolean
  readonly scopes: readonly string[]
}

interface CreateTokenProps {
  readonly open: boolean
  readonly onOpenChange: (open: boolean) => void
  /** Of the account's tokens. */
  readonly path: string
  readonly onMade: (made: MadeSecret) => void
}

const EVERYWHERE = 'everywhere'
const LIFETIMES = { never: 'Never', '30': 'In 30 days', '90': 'In 90 days', '365': 'In a year' }
const DAY_MS = 86_400_000

export function CreateToken({ open, onOpenChange, path, onMade }: CreateTokenProps) {
  const account = useAccount()
  const groups = useAsk<readonly PermissionGroup[]>(`${path}/permission_groups`, { enabled: open })
  const zones = useZones(account.id)
  const [chosen, setChosen] = useState<readonly string[]>([])
  const [zone, setZone] = useState(EVERYWHERE)
  const [lifetime, setLifetime] = useState<string>('never')
  const create = useAct(
    (body: unknown) => ask<TokenBody & { readonly value: string }>(path, { method: 'POST', body }),
    [path],
  )

  async function submit(form: FormData) {
    const whole = `com.cloudflare.api.account.${account.id}`
    const ranges = parts(fieldText(form, 'ranges'))
    const body = {
      name: fieldText(form, 'name'),
      policies: [
        {
          effect: 'allow',
          permission_groups: chosen.map((id) => ({ id })),
          resources:
            zone === EVERYWHERE ? { [whole]: '*' } : { [`com.cloudflare.api.account.zone.${zone}`]: '*' },
        },
      ],
      ...(lifetime !== 'never' && {
        expires_on: new Date(Date.now() + Number(lifetime) * DAY_MS).toISOString(),
      }),
      ...(ranges.length > 0 && { condition: { request_ip: { in: ranges } } }),
    }
    if (chosen.length === 0) throw new Error('Choose one permission at least.')
    const { name, value } = await create.mutateAsync(body)
    setChosen([])
    onMade({ name, value })
  }

  return (
    <FormDialog
      open={open}
      onOpenChange={onOpenChange}
      title="Create an API token"
      size="xl"
      action="Create token"
      onSubmit={submit}
    >
      <Input label="Name" name="name" placeholder="Newsletter" maxLength={120} autoComplete="off" required />
      <Asked of={groups}>
        {(groups) => (
          <Checkbox.Group legend="Permissions" value={[...chosen]} onValueChange={setChosen}>
            <div className="grid gap-2 sm:grid-cols-2">
              {groups
                .filter(({ is_selectable }) => is_selectable)
                .map(({ id, name }) => (
                  <Checkbox.Item key={id} value={id} label={name} />
                ))}
            </div>
          </Checkbox.Group>
        )}
      </Asked>
      <div className="grid gap-4 sm:grid-cols-2">
        <SearchSelect
          label="Where"
          search="Search domains"
          value={zone}
          items={[
            { value: EVERYWHERE, label: 'The whole account' },
            ...(zones.data ?? []).map(({ id, name }) => ({ value: id, label: name })),
          ]}
          isLoading={zones.isLoading}
          onChange={setZone}
        />
        <Select
          label="Expires"
          className="w-full"
          hideLabel={false}
          value={lifetime}
          items={LIFETIMES}
          onValueChange={(lifetime) => setLifetime(lifetime ?? 'never')}
        />
      </div>
      <Input
        label="Only from these addresses"
        description="Addresses or ranges such as 192.0.2.0/24, parted by commas. Empty: from anywhere."
        name="ranges"
        autoComplete="off"
      />
    </FormDialog>
  )
}

function parts(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((part) => part !== '')
}
