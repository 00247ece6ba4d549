import { Input, InputArea } from '@cloudflare/kumo/components/input'
import { useState } from 'react'
import type { CreateSuppression, SuppressionBody } from '#contract/suppressions.ts'
import { ask, withQuery } from '../api/ask.ts'
import { Problem } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { FormDialog } from '../parts/form-dialog.tsx'
import { SearchSelect } from '../parts/search-select.tsx'
import { ExpiryField, expiryTime, NO_EXPIRY } from './expiry-field.tsx'
import { useSendingDomains } from './use-account-domains.ts'

interface AddSuppressionProps {
  readonly accountId: string
  readonly path: string
  readonly onClose: () => void
}

const ACCOUNT = 'account'

type Wish = CreateSuppression & { readonly scope: NonNullable<CreateSuppression['scope']> }

export function AddSuppression({ accountId, path, onClose }: AddSuppressionProps) {
  const { data: domains = [], isLoading } = useSendingDomains(accountId)
  const [email, setEmail] = useState('')
  const [scope, setScope] = useState(ACCOUNT)
  const [expiry, setExpiry] = useState(NO_EXPIRY)
  const [note, setNote] = useState('')
  const add = useAct((body: Wish) => addNew(path, body), [path])
  const wrong = (pointer: string) => (add.error instanceof Problem ? add.error.at(pointer) : undefined)
  const wrongEmail = wrong('/email')
  const wrongNote = wrong('/note')
  const isAtField = [wrongEmail, wrongNote, wrong('/expires_at')].some((detail) => detail !== undefined)
  /** What was wrong was of what the field said then. */
  const change = <Value,>(set: (value: Value) => void, value: Value) => {
    add.reset()
    set(value)
  }
  return (
    <FormDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose()
      }}
      title="Add an address to the suppression list"
      lead="Mail to it is refused from now on."
      action="Add address"
      // Once is enough.
      about={
        isAtField
          ? `at its field ${add.submittedAt}`
          : [email, scope, expiry.choice, expiry.at, note].join('\n')
      }
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
        {...(wrongEmail !== undefined && { error: wrongEmail, 'aria-invalid': true })}
        onChange={({ target }) => change(setEmail, target.value)}
      />
      <SearchSelect
        label="Scope"
        search="Search domains"
        isLoading={isLoading}
        description="For mail from every domain of the account, or from one."
        items={[
          { value: ACCOUNT, label: 'Whole account' },
          ...domains.map(({ name }) => ({ value: name, label: name })),
        ]}
        value={scope}
        onChange={setScope}
      />
      <ExpiryField
        value={expiry}
        onChange={(expiry) => change(setExpiry, expiry)}
        problem={wrong('/expires_at')}
      />
      <InputArea
        label="Note"
        description="For your colleagues: why it is here."
        value={note}
        maxLength={1000}
        {...(wrongNote !== undefined && { error: wrongNote, 'aria-invalid': true })}
        onChange={({ target }) => change(setNote, target.value)}
      />
    </FormDialog>
  )
}

/** The service answers with the entry that is there already and leaves it as it was, so what was written here would be
 *  lost without a word. */
async function addNew(path: string, body: Wish): Promise<void> {
  if (await isListed(path, body)) {
    const message = `It is on the list already, ${body.scope.type === 'account' ? 'for the whole account' : `for ${body.scope.value}`}. Its expiry and note are changed there.`
    throw new Problem(409, [{ code: 0, message, source: { pointer: '/email' } }], message)
  }
  await ask(path, { method: 'POST', body })
}

async function isListed(path: string, { email, scope }: Wish): Promise<boolean> {
  const filters = {
    ...{ email, scope_type: scope.type, per_page: 1 },
    ...(scope.type === 'sending_domain' && { scope_value: scope.value }),
  }
  try {
    return (await ask<readonly SuppressionBody[]>(withQuery(path, filters))).length > 0
  } catch (error) {
    // What is no address is refused at its field when it is added.
    if (error instanceof Problem && error.status === 400) return false
    throw error
  }
}
