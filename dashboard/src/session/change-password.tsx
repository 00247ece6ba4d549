import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { useKumoToastManager } from '@cloudflare/kumo/components/toast'
import { type FormEvent, useState } from 'react'
import { ask } from '../api/ask.ts'
import { Problem, problemText } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { ProblemNote } from '../parts/problem-note.tsx'

export function ChangePassword() {
  const toasts = useKumoToastManager()
  const [problem, setProblem] = useState<unknown>()
  const faulty = fieldOf(problem)
  const text = problemText(problem)
  const change = useAct(
    (body: Record<string, FormDataEntryValue | null>) =>
      ask('/session/v1/password', { method: 'POST', body }),
    ['/session/v1/sessions'],
  )
  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = event.currentTarget
    const given = new FormData(form)
    setProblem(undefined)
    try {
      await change.mutateAsync({
        current_password: given.get('current_password'),
        new_password: given.get('new_password'),
      })
      form.reset()
      toasts.add({ title: 'Your password is changed', variant: 'success' })
    } catch (error) {
      setProblem(error)
      const faulty = fieldOf(error)
      if (faulty) form.querySelector<HTMLInputElement>(`[name="${faulty}"]`)?.focus()
    }
  }
  return (
    <form className="flex max-w-sm flex-col gap-4" onSubmit={(event) => void submit(event)}>
      <Input
        label="Current password"
        name="current_password"
        type="password"
        autoComplete="current-password"
        {...(faulty === 'current_password' && { error: text })}
        required
      />
      <Input
        label="New password"
        description="Ten characters or more."
        name="new_password"
        type="password"
        autoComplete="new-password"
        minLength={10}
        {...(faulty === 'new_password' && { error: text })}
        required
      />
      {problem !== undefined && !faulty && <ProblemNote>{text}</ProblemNote>}
      <div>
        <Button type="submit" variant="primary" loading={change.isPending}>
          Change password
        </Button>
      </div>
    </form>
  )
}

/** Which of the two is at fault, if one is. */
function fieldOf(problem: unknown): 'current_password' | 'new_password' | undefined {
  if (!(problem instanceof Problem)) return undefined
  if (problem.at('/new_password') !== undefined) return 'new_password'
  // Whoever has no session any more is led to the sign-in before they read this.
  return problem.status === 401 ? 'current_password' : undefined
}
