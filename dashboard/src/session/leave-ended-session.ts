import type { QueryClient } from '@tanstack/react-query'
import { ask } from '../api/ask.ts'
import { Problem } from '../api/problem.ts'
import { keep, type Session, sessionQuery } from '../api/session.ts'
import type { createAppRouter } from '../router.tsx'

/** What is refused because the session has ended, here or in another tab, leads to the sign-in and back from there. */
export async function leaveEndedSession(
  error: unknown,
  client: QueryClient,
  router: ReturnType<typeof createAppRouter>,
): Promise<void> {
  if (!(error instanceof Problem) || error.status !== 401) return
  const session = await ask<Session>('/session/v1')
  const { href, pathname } = router.state.location
  if (session.user || pathname === '/sign-in') return
  await router.navigate({ to: '/sign-in', search: { next: href } })
  client.setQueryData(sessionQuery.queryKey, keep(session))
}
