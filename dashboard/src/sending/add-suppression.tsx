import { Input, InputArea } from '@cloudflare/kumo/components/input'
import { Select } from '@cloudflare/kumo/components/select'
import { useState } from 'react'
import type { CreateSuppression } from '#contract/suppressions.ts'
import { ask } from '../api/ask.ts'
import { Problem } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { FormDialog } from '../parts/form-dialog.tsx'
import { ExpiryField, expiryTime, NO_EXPIRY } from './expiry-field.tsx'
import { useSendingDomains } from './use-sending-domains.ts'

interface AddSuppressionProps {
  readonly accountId: string
  readonly path: string
  readonly onClose: () => void
}

const ACCOUNT = 'account'

export function AddSuppression({ accountId, path, onClose }: AddSuppressionProps) {
  const domains = useSendingDomains(accountId).data ?? []
  const [email, setEmail] = useState('')
  const [scope, setScope] = useState(ACCOUNT)
  const [expiry, setExpiry] = useState(NO_EXPIRY)
  const [note, setNote] = useState('')
  const add = useAct((body: CreateSuppression) => ask(path, { method: 'POST', body }), [path])
  const wrong = (pointer: string) => (add.error instanceof Problem ? add.error.at(pointer) : undefined)
  const wrongEmail = wrong('/email')
  const wrongNote = wrong('/note')
  return (
    <FormDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose()
      }}
      title="Add an address to the suppression list"
      lead="Mail to it is refused from now on."
      action="Add address"
      onSubmit={() =>
        add.mutateAsync({
          email: email.trim(),
          expires_at: expiryTime(expiry),
          note: note.trim() === '' ? null : note.trim(),
          scope: scope === ACCOUNT ? { type: 'account' } : { type: 'sending_domain', value: scope },
        })
      }
    >
      <Input
        label="Address"
        type="text"
        inputMode="email"
        placeholder="someone@example.com"
        value={email}
        autoComplete="off"
        autoCapitalize="none"
        required
        {...(wrongEmail !== undefined && { error: wrongEmail })}
        onChange={({ target }) => setEmail(target.value)}
      />
      <Select
        label="Scope"
        description="For mail from every domain of the account, or from one."
        items={[
          { value: ACCOUNT, label: 'Whole account' },
          ...domains.map(({ name }) => ({ value: name, label: name })),
        ]}
        value={scope}
        onValueChange={(value) => setScope(value ?? ACCOUNT)}
      />
      <ExpiryField value={expiry} onChange={setExpiry} problem={wrong('/expires_at')} />
      <InputArea
        label="Note"
        description="For your colleagues: why it is here."
        value={note}
        maxLength={1000}
        {...(wrongNote !== undefined && { error: wrongNote })}
        onChange={({ target }) => setNote(target.value)}
      />
    </FormDialog>
  )
}
