import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { Link } from '@cloudflare/kumo/components/link'
import { useRouterState } from '@tanstack/react-router'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import type { RequestPasswordReset } from '#contract/session.ts'
import { ask } from '../api/ask.ts'
import { Problem, problemText } from '../api/problem.ts'
import { useSession } from '../api/session.ts'
import { fieldText } from '../parts/field-text.ts'
import { ProblemNote } from '../parts/problem-note.tsx'
import { EntryCard } from './entry-card.tsx'

declare module '@tanstack/react-router' {
  interface HistoryState {
    /** What was written at the sign-in before. */
    readonly email?: string
  }
}

/** Whoever forgot the password is mailed a link. The page has the same words for everybody: it does not know who has an
 *  address. */
export function ForgotPasswordPage() {
  const { password_resets } = useSession()
  const [asked, setAsked] = useState<string>()
  return (
    <EntryCard title={asked === undefined ? 'Reset your password' : 'Look into your mail'}>
      {!password_resets ? (
        <AskTheOperator />
      ) : asked === undefined ? (
        <AskForLink onAsked={setAsked} />
      ) : (
        <Asked email={asked} onAgain={() => setAsked(undefined)} />
      )}
      <p className="mt-6 text-center">
        <Link href="/sign-in">Back to the sign-in</Link>
      </p>
    </EntryCard>
  )
}

function AskForLink({ onAsked }: { readonly onAsked: (email: string) => void }) {
  const written = useRouterState({ select: ({ location }) => location.state.email })
  const [problem, setProblem] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const atField = problem instanceof Problem ? problem.at('/email') : undefined

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const body: RequestPasswordReset = { email: fieldText(new FormData(event.currentTarget), 'email') }
    setBusy(true)
    setProblem(undefined)
    try {
      await ask('/session/v1/password-resets', { method: 'POST', body })
      onAsked(body.email)
    } catch (error) {
      setProblem(error)
    } finally {
      setBusy(false)
    }
  }

  return (
    <form className="flex flex-col gap-4" onSubmit={(event) => void submit(event)}>
      <p>Enter the address that you sign in with. A link to choose a new password comes by mail.</p>
      <Input
        label="Email"
        name="email"
        type="email"
        autoComplete="username"
        defaultValue={written}
        {...(atField !== undefined && { error: atField })}
        required
      />
      {problem !== undefined && atField === undefined && <ProblemNote>{problemText(problem)}</ProblemNote>}
      <Button type="submit" variant="primary" className="w-full justify-center" loading={busy}>
        Send the link
      </Button>
    </form>
  )
}

function Asked({ email, onAgain }: { readonly email: string; readonly onAgain: () => void }) {
  const { development } = useSession()
  const words = useRef<HTMLDivElement>(null)
  // What had the focus is gone, and what came in its place should be read out.
  useEffect(() => words.current?.focus(), [])
  return (
    <>
      <div ref={words} tabIndex={-1} className="flex flex-col gap-4 outline-none">
        <p>
          If <strong className="break-words">{email}</strong> signs in here, a link is on its way to it. It
          works once, for an hour, and not after a newer one.
        </p>
        <p className="text-kumo-subtle">
          Nothing there? Look among the spam, and whether the address is right. An address gets a few of these
          mails, then one an hour.
        </p>
        {development && (
          <p className="text-kumo-subtle">
            In development it is in the <Link href="/inbox">inbox</Link>.
          </p>
        )}
      </div>
      <Button className="mt-4 w-full justify-center" onClick={onAgain}>
        Use another address
      </Button>
    </>
  )
}

function AskTheOperator() {
  return (
    <div className="flex flex-col gap-4">
      <p>This installation cannot send mail to you, so no link can come.</p>
      <p>Ask whoever operates it: they can set a new password for you, with which you sign in.</p>
      <p className="text-kumo-subtle">
        If that is you: <code className="font-mono text-sm">POST /operator/v1/users</code> sets one; see{' '}
        <Link href="/docs/operator" target="_blank">
          the operator’s API
        </Link>
        .
      </p>
    </div>
  )
}
