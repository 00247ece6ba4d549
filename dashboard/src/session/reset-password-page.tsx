import { Button, LinkButton } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { Link } from '@cloudflare/kumo/components/link'
import { useKumoToastManager } from '@cloudflare/kumo/components/toast'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useRouter, useRouterState } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import type { LookAtPasswordReset, PasswordResetBody } from '#contract/session.ts'
import { ask } from '../api/ask.ts'
import { Problem, problemText } from '../api/problem.ts'
import { keep, type Session, sessionQuery } from '../api/session.ts'
import { Asked } from '../parts/asked.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { EntryCard } from './entry-card.tsx'

const RESETS = '/session/v1/password-resets'

/** Where the link of a mail leads. Its token stands behind the `#`, which no server, log or Referer gets to see. */
export function ResetPasswordPage() {
  const token = useRouterState({ select: ({ location }) => location.hash })
  const link = useQuery({
    queryKey: ['session', 'v1', 'password-resets', token],
    queryFn: ({ signal }) => {
      const body: LookAtPasswordReset = { token }
      return ask<PasswordResetBody>(`${RESETS}/look`, { method: 'POST', body, signal })
    },
  })
  if (isGone(link.error)) return <LinkGone />
  return (
    <EntryCard title="Choose a new password">
      <Asked of={link}>
        {({ email }) => <ChoosePassword token={token} email={email} onGone={() => void link.refetch()} />}
      </Asked>
    </EntryCard>
  )
}

function isGone(error: unknown): boolean {
  return error instanceof Problem && error.status === 404
}

interface ChoosePasswordProps {
  readonly token: string
  readonly email: string
  /** The link works no longer. */
  readonly onGone: () => void
}

function ChoosePassword({ token, email, onGone }: ChoosePasswordProps) {
  const client = useQueryClient()
  const router = useRouter()
  const toasts = useKumoToastManager()
  const [problem, setProblem] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const atField = problem instanceof Problem ? problem.at('/password') : undefined

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const password = new FormData(event.currentTarget).get('password')
    setBusy(true)
    setProblem(undefined)
    try {
      const session = keep(
        await ask<Session>(`${RESETS}/accept`, { method: 'POST', body: { token, password } }),
      )
      client.clear()
      client.setQueryData(sessionQuery.queryKey, session)
      toasts.add({ title: 'Your password is changed', variant: 'success' })
      await router.navigate({ to: '/', replace: true })
    } catch (error) {
      if (isGone(error)) onGone()
      else setProblem(error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <form className="flex flex-col gap-4" onSubmit={(event) => void submit(event)}>
      <p>It signs you in here, and ends every other session of yours.</p>
      <Input label="Email" value={email} readOnly autoComplete="username" />
      <Input
        label="New password"
        description="Ten characters or more."
        name="password"
        type="password"
        minLength={10}
        autoComplete="new-password"
        {...(atField !== undefined && { error: atField })}
        required
      />
      {problem !== undefined && atField === undefined && <ProblemNote>{problemText(problem)}</ProblemNote>}
      <Button type="submit" variant="primary" className="w-full justify-center" loading={busy}>
        Set the password and sign in
      </Button>
    </form>
  )
}

function LinkGone() {
  return (
    <EntryCard title="This link does not work">
      <p role="alert" className="mb-6">
        It was used, is older than an hour, or a newer one took its place. If you still want a new password,
        have another link sent.
      </p>
      <LinkButton variant="primary" href="/forgot-password" className="w-full justify-center">
        Send another link
      </LinkButton>
      <p className="mt-6 text-center">
        <Link href="/sign-in">Back to the sign-in</Link>
      </p>
    </EntryCard>
  )
}
