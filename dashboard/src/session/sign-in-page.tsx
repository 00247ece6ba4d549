import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { Link } from '@cloudflare/kumo/components/link'
import { useQueryClient } from '@tanstack/react-query'
import { getRouteApi, useRouter } from '@tanstack/react-router'
import { type FormEvent, type MouseEvent, useState } from 'react'
import { ask } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { keep, type Session, sessionQuery, useSession } from '../api/session.ts'
import { ProblemNote } from '../parts/problem-note.tsx'
import { EntryCard } from './entry-card.tsx'
import { ownPath } from './routes.ts'

const route = getRouteApi('/sign-in')

export function SignInPage() {
  const { development } = useSession()
  const { next } = route.useSearch()
  const client = useQueryClient()
  const router = useRouter()
  const [email, setEmail] = useState('')
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState<'password' | 'development'>()

  async function signIn(how: 'password' | 'development', path: string, body: unknown) {
    setBusy(how)
    setProblem(undefined)
    try {
      const session = keep(await ask<Session>(path, { method: 'POST', body }))
      client.clear()
      client.setQueryData(sessionQuery.queryKey, session)
      await router.navigate({ href: ownPath(next) ?? '/' })
    } catch (error) {
      setProblem(problemText(error))
    } finally {
      setBusy(undefined)
    }
  }

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const body = { email: form.get('email'), password: form.get('password') }
    void signIn('password', '/session/v1/sign-in', body)
  }

  /** With the address that was written, which a URL would keep. */
  function forgot(event: MouseEvent) {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
    event.preventDefault()
    void router.navigate({ to: '/forgot-password', state: { email } })
  }

  return (
    <EntryCard title="Sign in">
      {problem !== undefined && <ProblemNote className="mb-4">{problem}</ProblemNote>}
      {development && (
        <>
          <Button
            variant="primary"
            className="w-full justify-center"
            loading={busy === 'development'}
            onClick={() => void signIn('development', '/session/v1/sign-in/development', {})}
          >
            Sign in to this development instance
          </Button>
          <p className="my-4 text-center text-kumo-subtle">or</p>
        </>
      )}
      <form className="flex flex-col gap-4" onSubmit={submit}>
        <Input
          label="Email"
          name="email"
          type="email"
          autoComplete="username"
          value={email}
          onChange={({ target }) => setEmail(target.value)}
          required
        />
        <Input label="Password" name="password" type="password" autoComplete="current-password" required />
        <Button
          type="submit"
          variant={development ? 'secondary' : 'primary'}
          className="w-full justify-center"
          loading={busy === 'password'}
        >
          Sign in
        </Button>
        <p className="text-center">
          <Link href="/forgot-password" onClick={forgot}>
            Forgot your password?
          </Link>
        </p>
      </form>
    </EntryCard>
  )
}
