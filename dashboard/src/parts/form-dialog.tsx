import { Button } from '@cloudflare/kumo/components/button'
import { Dialog } from '@cloudflare/kumo/components/dialog'
import { type FormEvent, type ReactNode, useState } from 'react'
import { Problem, problemText } from '../api/problem.ts'
import { ProblemNote } from './problem-note.tsx'
import { useFocusBack } from './use-focus-back.ts'
import { useFocusOnFault } from './use-focus-on-fault.ts'

interface FormDialogProps {
  readonly open: boolean
  readonly onOpenChange: (open: boolean) => void
  readonly title: string
  readonly lead?: ReactNode
  /** The button: "Create rule". */
  readonly action: string
  /** What the form says, where its fields do not bear their own problems: a problem is of what was said then. */
  readonly about?: string
  /** Whether a field says it: then it is not said once more below them. */
  readonly isAtField?: (problem: Problem) => boolean
  readonly size?: 'base' | 'lg' | 'xl'
  /** Resolves once it is done: then the dialog closes. What it throws is shown. */
  readonly onSubmit: (form: FormData) => Promise<unknown>
  readonly children: ReactNode
}

/** A form over the page. */
export function FormDialog(props: FormDialogProps) {
  const { open, onOpenChange, title, lead, action, about = '', size = 'lg', onSubmit, children } = props
  const { isAtField = () => false } = props
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<{ readonly text: string; readonly about: string }>()

  const [formRef, refused] = useFocusOnFault()
  useFocusBack(open)

  function change(open: boolean) {
    setProblem(undefined)
    onOpenChange(open)
  }

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    setBusy(true)
    setProblem(undefined)
    try {
      await onSubmit(form)
      change(false)
    } catch (error) {
      if (!(error instanceof Problem && isAtField(error))) setProblem({ text: problemText(error), about })
      refused()
    } finally {
      setBusy(false)
    }
  }

  return (
    <Dialog.Root open={open} onOpenChange={change}>
      <Dialog size={size} className="max-h-dvh overflow-y-auto p-6">
        <form ref={formRef} onSubmit={(event) => void submit(event)} className="flex flex-col gap-4">
          <Dialog.Title className="text-xl font-semibold">{title}</Dialog.Title>
          {lead !== undefined && (
            <Dialog.Description render={<div />} className="text-kumo-subtle">
              {lead}
            </Dialog.Description>
          )}
          {children}
          {problem?.about === about && <ProblemNote>{problem.text}</ProblemNote>}
          <div className="flex flex-wrap justify-end gap-2">
            <Button onClick={() => change(false)}>Cancel</Button>
            <Button type="submit" variant="primary" loading={busy}>
              {action}
            </Button>
          </div>
        </form>
      </Dialog>
    </Dialog.Root>
  )
}
