import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { useQueryClient } from '@tanstack/react-query'
import { getRouteApi, useRouter } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { ask } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { ProblemNote } from '../parts/problem-note.tsx'
import { ownPath } from './routes.ts'
import { keep, type Session, sessionQuery, useSession } from './session.ts'

const route = getRouteApi('/sign-in')

export function SignInPage() {
  const { development } = useSession()
  const { next } = route.useSearch()
  const client = useQueryClient()
  const router = useRouter()
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

  return (
    <main className="grid min-h-dvh place-items-center bg-kumo-canvas p-4">
      <div className="w-full max-w-sm rounded-xl border border-kumo-hairline bg-kumo-base p-8">
        <h1 className="mb-6 flex items-center gap-3 text-2xl font-semibold">
          <img src="/posthorn.svg" alt="" width={32} height={32} />
          Posthorn
        </h1>
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
          <Input label="Email" name="email" type="email" autoComplete="username" required />
          <Input label="Password" name="password" type="password" autoComplete="current-password" required />
          <Button
            type="submit"
            variant={development ? 'secondary' : 'primary'}
            className="w-full justify-center"
            loading={busy === 'password'}
          >
            Sign in
          </Button>
        </form>
      </div>
    </main>
  )
}
