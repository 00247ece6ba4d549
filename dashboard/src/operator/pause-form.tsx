import { Input } from '@cloudflare/kumo/components/input'
import { Radio } from '@cloudflare/kumo/components/radio'
import { useState } from 'react'
import type { PauseRequest } from '#contract/operator.ts'
import { ask } from '../api/ask.ts'
import { Problem } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { fieldText } from '../parts/field-text.ts'
import { FormDialog } from '../parts/form-dialog.tsx'
import { OPERATOR } from './operator-path.ts'

interface PauseFormProps {
  readonly open: boolean
  readonly onOpenChange: (open: boolean) => void
}

const FIELDS = ['/name', '/for'] as const

export function PauseForm({ open, onOpenChange }: PauseFormProps) {
  const [kind, setKind] = useState<PauseRequest['kind']>('domain')
  const pause = useAct(
    (body: PauseRequest) => ask(`${OPERATOR}/pauses`, { method: 'POST', body }),
    [OPERATOR],
  )

  /** What is wrong with a field, until something else is written there. */
  function atField(pointer: string) {
    const error = pause.error instanceof Problem ? pause.error.at(pointer) : undefined
    return { onChange: () => pause.reset(), ...(error !== undefined && { error, 'aria-invalid': true }) }
  }

  async function submit(form: FormData) {
    const [reason, duration] = [fieldText(form, 'reason'), fieldText(form, 'for')]
    await pause.mutateAsync({
      kind,
      name: fieldText(form, 'name'),
      ...(reason !== '' && { reason }),
      ...(duration !== '' && { for: duration }),
    })
  }

  return (
    <FormDialog
      open={open}
      onOpenChange={onOpenChange}
      title="Pause a destination"
      lead="Mail for it is accepted, and waits until the pause ends."
      action="Pause"
      isAtField={(problem) => FIELDS.some((pointer) => problem.at(pointer) !== undefined)}
      onSubmit={submit}
    >
      <Radio.Group
        legend="What"
        value={kind}
        onValueChange={(kind) => setKind(kind === 'host' ? 'host' : 'domain')}
      >
        <Radio.Item value="domain" label="A recipient domain" />
        <Radio.Item value="host" label="A mail server (MX host)" />
      </Radio.Group>
      <Input
        label="Name"
        name="name"
        placeholder="example.com"
        autoComplete="off"
        required
        {...atField(FIELDS[0])}
      />
      <Input
        label="For how long"
        name="for"
        placeholder="2h"
        description="Such as 30m, 2h or 1d. Empty: until you end it."
        {...atField(FIELDS[1])}
      />
      <Input label="Reason" name="reason" maxLength={500} />
    </FormDialog>
  )
}
