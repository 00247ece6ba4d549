import { Button } from '@cloudflare/kumo/components/button'
import { Dialog } from '@cloudflare/kumo/components/dialog'
import { Input } from '@cloudflare/kumo/components/input'
import { type FormEvent, type ReactNode, useState } from 'react'
import { problemText } from '../api/problem.ts'
import { ProblemNote } from './problem-note.tsx'
import { useFocusBack } from './use-focus-back.ts'
import { useFocusOnFault } from './use-focus-on-fault.ts'

interface ConfirmDialogProps {
  readonly open: boolean
  readonly onOpenChange: (open: boolean) => void
  /** "Remove example.com?" */
  readonly title: string
  /** What will be so afterwards, and whether it can be undone. */
  readonly children: ReactNode
  /** The button, with its verb: "Remove Domain". */
  readonly action: string
  /** For what cannot be undone: the name that is to be typed first. */
  readonly typed?: string
  readonly onConfirm: () => Promise<unknown>
}

/** Asks before something is destroyed. Stays open, and says why, where it was not done. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { open, onOpenChange, title, children, action, typed, onConfirm } = props
  const [written, setWritten] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string>()

  const [formRef, refused] = useFocusOnFault()
  useFocusBack(open)

  function change(open: boolean) {
    setWritten('')
    setProblem(undefined)
    onOpenChange(open)
  }

  async function confirm(event: FormEvent) {
    event.preventDefault()
    setBusy(true)
    setProblem(undefined)
    try {
      await onConfirm()
      change(false)
    } catch (error) {
      setProblem(problemText(error))
      refused()
    } finally {
      setBusy(false)
    }
  }

  return (
    <Dialog.Root open={open} onOpenChange={change}>
      <Dialog size="lg" className="p-6">
        <form ref={formRef} onSubmit={(event) => void confirm(event)} className="flex flex-col gap-4">
          <Dialog.Title className="text-xl font-semibold">{title}</Dialog.Title>
          <Dialog.Description render={<div />} className="text-kumo-subtle">
            {children}
          </Dialog.Description>
          {typed !== undefined && (
            <Input
              label={`Type ${typed} to confirm`}
              value={written}
              autoComplete="off"
              onChange={(event) => setWritten(event.target.value)}
            />
          )}
          {problem !== undefined && <ProblemNote>{problem}</ProblemNote>}
          <div className="flex flex-wrap justify-end gap-2">
            <Button onClick={() => change(false)}>Cancel</Button>
            <Button
              type="submit"
              variant="destructive"
              loading={busy}
              disabled={typed !== undefined && written !== typed}
            >
              {action}
            </Button>
          </div>
        </form>
      </Dialog>
    </Dialog.Root>
  )
}
