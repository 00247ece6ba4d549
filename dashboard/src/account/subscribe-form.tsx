import { Checkbox } from '@cloudflare/kumo/components/checkbox'
import { Input } from '@cloudflare/kumo/components/input'
import { Select } from '@cloudflare/kumo/components/select'
import { useState } from 'react'
import type { QueueBody } from '#contract/queues.ts'
import { ask } from '../api/ask.ts'
import { useAct } from '../api/use-ask.ts'
import { fieldText } from '../parts/field-text.ts'
import { FormDialog } from '../parts/form-dialog.tsx'
import { SearchSelect } from '../parts/search-select.tsx'
import { useZones } from '../parts/use-zones.ts'
import { useAccount } from '../shell/use-account.ts'
import { EVENT_TEXTS } from './webhook-events.ts'

interface SubscribeFormProps {
  readonly onClose: () => void
  /** Of the account's subscriptions. */
  readonly path: string
  /** Those of the account: one at least. */
  readonly queues: readonly QueueBody[]
}

const SOURCES = { 'email.sending': 'Email Sending', 'email.routing': 'Email Routing' } as const
type Source = keyof typeof SOURCES

export function SubscribeForm({ onClose, path, queues }: SubscribeFormProps) {
  const { id } = useAccount()
  const { data: zones = [], isLoading } = useZones(id)
  const [source, setSource] = useState<Source>('email.sending')
  const [queue, setQueue] = useState(queues[0]?.queue_id ?? '')
  const [zone, setZone] = useState<string>()
  const [events, setEvents] = useState<readonly string[]>([])
  const add = useAct((body: unknown) => ask(path, { method: 'POST', body }), [path])
  const chosenZone = zones.find(({ id }) => id === zone) ?? zones[0]

  async function submit(form: FormData) {
    if (events.length === 0) throw new Error('Choose one event at least.')
    const name = fieldText(form, 'name')
    await add.mutateAsync({
      ...(name !== '' && { name }),
      source: { type: source, zone_id: chosenZone?.id, domain: chosenZone?.name },
      destination: { type: 'queues.queue', queue_id: queue },
      events,
    })
  }

  return (
    <FormDialog
      open
      onOpenChange={onClose}
      title="Subscribe a queue"
      size="xl"
      action="Subscribe"
      onSubmit={submit}
    >
      <Input label="Name" name="name" description="Empty: after the queue and the source." maxLength={255} />
      <div className="grid items-start gap-4 sm:grid-cols-3">
        <SearchSelect
          label="Queue"
          search="Search queues"
          value={queue}
          items={queues.map(({ queue_id, queue_name }) => ({ value: queue_id, label: queue_name }))}
          onChange={setQueue}
        />
        <Select
          label="Source"
          className="w-full"
          value={source}
          items={SOURCES}
          onValueChange={(source) => {
            setSource(source ?? 'email.sending')
            setEvents([])
          }}
        />
        <SearchSelect
          label="Domain"
          search="Search domains"
          value={chosenZone?.id ?? ''}
          items={zones.map(({ id, name }) => ({ value: id, label: name }))}
          isLoading={isLoading}
          onChange={setZone}
        />
      </div>
      <Checkbox.Group legend="Events" value={[...events]} onValueChange={setEvents}>
        <div className="grid gap-2 sm:grid-cols-2">
          {eventsOf(source).map((event) => (
            <Checkbox.Item key={event} value={event} label={event} />
          ))}
        </div>
      </Checkbox.Group>
    </FormDialog>
  )
}

/** Webhooks name the same events, with their source before them. */
function eventsOf(source: Source): readonly string[] {
  const prefix = `cf.${source}.`
  return Object.keys(EVENT_TEXTS)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length))
}
