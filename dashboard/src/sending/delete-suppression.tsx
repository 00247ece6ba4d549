import { useState } from 'react'
import type { SuppressionBody } from '#contract/suppressions.ts'
import { ask } from '../api/ask.ts'
import { useAct } from '../api/use-ask.ts'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'

interface DeleteSuppressionProps {
  readonly path: string
  /** Absent: the dialog is closed. */
  readonly entry: SuppressionBody | undefined
  readonly onClose: () => void
}

export function DeleteSuppression({ path, entry, onClose }: DeleteSuppressionProps) {
  const remove = useAct((id: string) => ask(`${path}/${id}`, { method: 'DELETE' }), [path])
  // While the dialog fades it still says what it was about.
  const [shown, setShown] = useState(entry)
  if (entry !== undefined && entry !== shown) setShown(entry)
  if (shown === undefined) return null
  const { id, email, reason } = shown
  return (
    <ConfirmDialog
      open={entry !== undefined}
      onOpenChange={(open) => {
        if (!open) onClose()
      }}
      title={`Delete ${email}?`}
      action="Delete entry"
      onConfirm={() => remove.mutateAsync(id)}
    >
      The address is mailed again.{' '}
      {reason === 'complaint'
        ? 'Its owner marked your mail as spam: write only with new consent. Ten such entries a day may be deleted.'
        : reason === 'hard_bounce'
          ? 'If the mailbox still does not exist, the next message bounces and it is back here.'
          : ''}
    </ConfirmDialog>
  )
}
