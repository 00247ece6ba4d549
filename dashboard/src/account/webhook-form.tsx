import { Checkbox } from '@cloudflare/kumo/components/checkbox'
import { Input } from '@cloudflare/kumo/components/input'
import { useState } from 'react'
import type { WebhookBody, WebhookWithSecretBody } from '#contract/webhooks.ts'
import { ask } from '../api/ask.ts'
import { Problem } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { fieldText } from '../parts/field-text.ts'
import { FormDialog } from '../parts/form-dialog.tsx'
import { EVENT_TEXTS } from './webhook-events.ts'

interface WebhookFormProps {
  readonly open: boolean
  readonly onOpenChange: (open: boolean) => void
  /** Of the account's webhooks. */
  readonly path: string
  /** The one to change; a new one otherwise. */
  readonly webhook?: WebhookBody
  readonly onMade?: (made: WebhookWithSecretBody) => void
}

/** Makes a webhook or changes it. */
export function WebhookForm({ open, onOpenChange, path, webhook, onMade }: WebhookFormProps) {
  const [isEverything, setEverything] = useState(webhook ? webhook.events === null : true)
  const [events, setEvents] = useState<readonly string[]>(webhook?.events ?? [])
  const [url, setUrl] = useState(webhook?.url ?? '')
  const [domains, setDomains] = useState(webhook?.domains?.join(', ') ?? '')
  const save = useAct(
    (body: unknown): Promise<WebhookBody | WebhookWithSecretBody> =>
      webhook
        ? ask<WebhookBody>(`${path}/${webhook.id}`, { method: 'PATCH', body })
        : ask<WebhookWithSecretBody>(path, { method: 'POST', body }),
    [path],
  )

  async function submit(form: FormData) {
    const names = partsOf(domains)
    if (!isEverything && events.length === 0) throw new Error('Choose one event at least, or all.')
    const made = await save.mutateAsync({
      url: url.trim(),
      description: fieldText(form, 'description'),
      events: isEverything ? null : events,
      domains: names.length === 0 ? null : names,
    })
    if ('secret' in made) onMade?.(made)
  }

  const problem = save.error instanceof Problem ? save.error : undefined
  const wrongUrl = problem?.at('/url')
  const wrongDomain = partsOf(domains).findIndex((_, index) => problem?.at(`/domains/${index}`) !== undefined)
  /** What was wrong was of what the field said then. */
  function change(set: (text: string) => void, text: string) {
    save.reset()
    set(text)
  }

  return (
    <FormDialog
      open={open}
      onOpenChange={onOpenChange}
      title={webhook ? 'Edit the webhook' : 'Add a webhook'}
      lead="A POST for each event, signed as Standard Webhooks has it. Anything but an answer of 2xx is tried again, for three days."
      size="xl"
      action={webhook ? 'Save' : 'Add webhook'}
      isAtField={({ errors }) =>
        errors.some(({ source }) => /^\/(?:url$|domains\/)/.test(source?.pointer ?? ''))
      }
      onSubmit={submit}
    >
      <Input
        label="URL"
        type="url"
        placeholder="https://example.com/hooks/mail"
        value={url}
        required
        {...(wrongUrl !== undefined && { error: wrongUrl, 'aria-invalid': true })}
        onChange={({ target: { value } }) => change(setUrl, value)}
      />
      <Input label="Description" name="description" maxLength={500} defaultValue={webhook?.description} />
      <Input
        label="Domains"
        description="Parted by commas. Empty: all of the account."
        value={domains}
        {...(wrongDomain !== -1 && {
          'aria-invalid': true,
          error: `This account has no domain ${partsOf(domains)[wrongDomain]}.`,
        })}
        onChange={({ target: { value } }) => change(setDomains, value)}
      />
      <Checkbox
        label="All events, also those that are yet to come"
        checked={isEverything}
        onCheckedChange={setEverything}
      />
      {!isEverything && (
        <Checkbox.Group legend="Events" value={[...events]} onValueChange={setEvents}>
          <div className="grid gap-2 sm:grid-cols-2">
            {Object.entries(EVENT_TEXTS).map(([name, text]) => (
              <Checkbox.Item key={name} value={name} label={text} />
            ))}
          </div>
        </Checkbox.Group>
      )}
    </FormDialog>
  )
}

function partsOf(domains: string): readonly string[] {
  return domains.split(/[\s,]+/).filter((name) => name !== '')
}
