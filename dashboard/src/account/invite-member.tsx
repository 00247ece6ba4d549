import { Input } from '@cloudflare/kumo/components/input'
import { Radio } from '@cloudflare/kumo/components/radio'
import { useState } from 'react'
import type { InvitedMemberBody, RoleBody } from '#contract/members.ts'
import { ask } from '../api/ask.ts'
import { Problem } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { fieldText } from '../parts/field-text.ts'
import { FormDialog } from '../parts/form-dialog.tsx'

interface InviteMemberProps {
  readonly open: boolean
  readonly onOpenChange: (open: boolean) => void
  /** Of the account's members. */
  readonly path: string
  readonly roles: readonly RoleBody[]
  readonly onInvited: (invited: InvitedMemberBody) => void
}

export function InviteMember({ open, onOpenChange, path, roles, onInvited }: InviteMemberProps) {
  const [role, setRole] = useState<string>()
  const chosen = role ?? roles.find(({ name }) => name === 'Member')?.id ?? ''
  const invite = useAct(
    (email: string) => ask<InvitedMemberBody>(path, { method: 'POST', body: { email, roles: [chosen] } }),
    [path],
  )
  const wrong = invite.error instanceof Problem ? invite.error.at('/email') : undefined
  return (
    <FormDialog
      open={open}
      onOpenChange={onOpenChange}
      title="Invite a member"
      lead="They get a mail with a link, which works for seven days."
      action="Send the invitation"
      isAtField={(problem) => problem.at('/email') !== undefined}
      onSubmit={async (form) => onInvited(await invite.mutateAsync(fieldText(form, 'email')))}
    >
      <Input
        label="Email"
        name="email"
        type="email"
        autoComplete="off"
        required
        {...(wrong !== undefined && { error: wrong, 'aria-invalid': true })}
        onChange={() => invite.reset()}
      />
      <Radio.Group legend="Role" value={chosen} onValueChange={(value) => setRole(value)}>
        {roles.map(({ id, name, description }) => (
          <Radio.Item key={id} value={id} label={`${name}: ${description}`} />
        ))}
      </Radio.Group>
    </FormDialog>
  )
}
