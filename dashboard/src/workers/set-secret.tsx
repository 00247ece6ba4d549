import { Input } from '@cloudflare/kumo/components/input'
import { SensitiveInput } from '@cloudflare/kumo/components/sensitive-input'
import { useState } from 'react'
import { ask } from '../api/ask.ts'
import { Problem } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { fieldText } from '../parts/field-text.ts'
import { FormDialog } from '../parts/form-dialog.tsx'
import { scriptPath } from './script-path.ts'

interface SetSecretProps {
  readonly accountId: string
  readonly script: string
  readonly onClose: () => void
}

/** Gives a Worker a secret. */
export function SetSecret({ accountId, script, onClose }: SetSecretProps) {
  const [refused, setRefused] = useState<{ readonly count: number; readonly text: string | undefined }>({
    count: 0,
    text: undefined,
  })
  const put = useAct(
    (secret: { readonly name: string; readonly text: string }) =>
      ask(scriptPath(accountId, script, 'secrets'), {
        method: 'PUT',
        body: { ...secret, type: 'secret_text' },
      }),
    [scriptPath(accountId, script)],
  )
  async function submit(form: FormData) {
    const text = form.get('text')
    try {
      // Blanks around it belong to it.
      await put.mutateAsync({ name: fieldText(form, 'name'), text: typeof text === 'string' ? text : '' })
    } catch (error) {
      const wrongName = error instanceof Problem ? error.at('/name') : undefined
      setRefused({ count: refused.count + (wrongName === undefined ? 0 : 1), text: wrongName })
      throw error
    }
  }
  return (
    <FormDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose()
      }}
      title="Set a secret"
      lead="The Worker runs with it at once. Nobody sees its text again."
      action="Set secret"
      // What is said at the name is not said once more below it.
      about={String(refused.count)}
      onSubmit={submit}
    >
      <Input
        label="Name"
        name="name"
        placeholder="API_KEY"
        autoComplete="off"
        spellCheck={false}
        required
        onChange={() => setRefused({ ...refused, text: undefined })}
        {...(refused.text !== undefined && { error: refused.text })}
      />
      <SensitiveInput label="Text" name="text" autoComplete="off" required />
    </FormDialog>
  )
}
