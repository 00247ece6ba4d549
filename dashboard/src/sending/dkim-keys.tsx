import { Badge } from '@cloudflare/kumo/components/badge'
import { Button } from '@cloudflare/kumo/components/button'
import { KeyIcon } from '@phosphor-icons/react'
import { useState } from 'react'
import type { DkimKeyBody } from '#contract/onboarding-records.ts'
import { ask } from '../api/ask.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { FormDialog } from '../parts/form-dialog.tsx'
import { Moment } from '../parts/moment.tsx'
import { Section } from '../parts/page.tsx'
import type { OfDomain } from './domain-page.tsx'
import { RecordList } from './record-list.tsx'
import { sendingDomainPath } from './use-domain-status.ts'

const STATES = {
  publishing: {
    label: 'Publishing',
    variant: 'info',
    explanation: 'Signs once its record is seen in DNS.',
  },
  active: { label: 'Active', variant: 'success', explanation: 'Signs what is sent.' },
  retiring: {
    label: 'Retiring',
    variant: 'warning',
    explanation: 'Signs no more. Its record stays for the mail that it signed.',
  },
  retired: { label: 'Retired', variant: 'neutral', explanation: 'Its record is gone.' },
} as const satisfies Record<DkimKeyBody['state'], object>

const LOOK_AGAIN_MS = 5000

export function DkimKeys({ zone, domain }: OfDomain) {
  const path = sendingDomainPath(zone.id, domain.tag)
  const keysPath = `${path}/dkim`
  const [isPublishing, setPublishing] = useState(true)
  const keys = useAsk<DkimKeyBody[]>(keysPath, { every: isPublishing && LOOK_AGAIN_MS })
  const hasNext = keys.data?.some(({ state }) => state === 'publishing') ?? true
  if (hasNext !== isPublishing) setPublishing(hasNext)
  const [open, setOpen] = useState(false)
  const rotate = useAct(() => ask(`${keysPath}/rotate`, { method: 'POST', body: {} }), [path])
  return (
    <Section
      title="DKIM keys"
      lead="What is sent is signed with the active key; receivers find its other half in DNS."
      actions={
        <Button icon={<KeyIcon aria-hidden />} onClick={() => setOpen(true)}>
          Rotate key
        </Button>
      }
    >
      <FormDialog
        open={open}
        onOpenChange={setOpen}
        title={`Make a new DKIM key for ${domain.name}?`}
        action="Rotate key"
        onSubmit={() => rotate.mutateAsync(undefined)}
      >
        <p>
          {zone.dns === 'hosted'
            ? 'The new key is published at once, and signs as soon as it is seen in DNS.'
            : 'You publish the record of the new key; it signs as soon as it is seen in DNS.'}{' '}
          Until then the present one goes on. Its record then stays for two weeks, so that mail on its way
          still verifies.
        </p>
      </FormDialog>
      <Asked of={keys}>
        {(keys) => (
          <ul className="flex flex-col gap-6">
            {keys.toReversed().map((key) => (
              <DkimKey key={key.selector} dkim={key} zone={zone.name} />
            ))}
          </ul>
        )}
      </Asked>
    </Section>
  )
}

function DkimKey({ dkim, zone }: { readonly dkim: DkimKeyBody; readonly zone: string }) {
  const { label, variant, explanation } = STATES[dkim.state]
  return (
    <li>
      <div className="mb-2 flex flex-wrap items-center gap-x-3 gap-y-1">
        <h3 className="font-mono font-semibold">{dkim.selector}</h3>
        <Badge variant={variant}>{label}</Badge>
        <span className="text-kumo-subtle">
          {explanation} Since <Moment at={dkim.modified} />.
        </span>
      </div>
      {dkim.state !== 'retired' && (
        <RecordList label={`Record of ${dkim.selector}`} records={[dkim.record]} zone={zone} />
      )}
    </li>
  )
}
