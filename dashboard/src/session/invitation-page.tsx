import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { useQueryClient } from '@tanstack/react-query'
import { getRouteApi, useRouter } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import type { InvitationBody } from '#contract/session.ts'
import { ask } from '../api/ask.ts'
import { Problem, problemText } from '../api/problem.ts'
import { keep, type Session, sessionQuery } from '../api/session.ts'
import { useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { EntryCard } from './entry-card.tsx'

const route = getRouteApi('/invitations/$token')

/** Where the link of an invitation leads: whoever has no password yet chooses one, others give theirs. */
export function InvitationPage() {
  const { token } = route.useParams()
  const path = `/session/v1/invitations/${encodeURIComponent(token)}`
  const invitation = useAsk<InvitationBody>(path)
  return (
    <EntryCard title="Invitation">
      <Asked of={invitation}>{(invitation) => <Accept path={path} invitation={invitation} />}</Asked>
    </EntryCard>
  )
}

function Accept({ path, invitation }: { readonly path: string; readonly invitation: InvitationBody }) {
  const { account, email, role, existing_user } = invitation
  const client = useQueryClient()
  const router = useRouter()
  const [problem, setProblem] = useState<unknown>()
  const isWrong = problem instanceof Problem && problem.status === 401
  const atField =
    problem instanceof Problem ? (isWrong ? problem.message : problem.at('/password')) : undefined
  const [busy, setBusy] = useState(false)

  async function accept(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const password = new FormData(event.currentTarget).get('password')
    setBusy(true)
    setProblem(undefined)
    try {
      const session = keep(await ask<Session>(path, { method: 'POST', body: { password } }))
      client.clear()
      client.setQueryData(sessionQuery.queryKey, session)
      await router.navigate({ to: '/$accountId/overview', params: { accountId: account.id } })
    } catch (error) {
      setProblem(error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <form className="flex flex-col gap-4" onSubmit={(event) => void accept(event)}>
      <p>
        You are invited to <strong>{account.name}</strong> as{' '}
        {role === 'admin' ? 'an administrator' : 'a member'}.
      </p>
      <Input label="Email" value={email} readOnly autoComplete="username" />
      <Input
        label={existing_user ? 'Your password' : 'Choose a password'}
        description={existing_user ? undefined : 'Ten characters or more.'}
        name="password"
        type="password"
        minLength={existing_user ? 1 : 10}
        autoComplete={existing_user ? 'current-password' : 'new-password'}
        {...(atField !== undefined && { error: atField })}
        required
      />
      {problem !== undefined && atField === undefined && <ProblemNote>{problemText(problem)}</ProblemNote>}
      <Button type="submit" variant="primary" className="w-full justify-center" loading={busy}>
        Accept the invitation
      </Button>
    </form>
  )
}
