import { queryOptions, useSuspenseQuery } from '@tanstack/react-query'
import type { SessionBody } from '#contract/session.ts'
import { ask } from './ask.ts'
import { keepCsrfToken } from './csrf-token.ts'

export type Session = SessionBody
export type SessionAccount = SessionBody['accounts'][number]

export const sessionQuery = queryOptions({
  queryKey: ['session', 'v1'],
  queryFn: async ({ signal }) => keep(await ask<Session>('/session/v1', { signal })),
  staleTime: 60_000,
})

/** What signing in or out answers is the session as it now is. */
export function keep(session: Session): Session {
  keepCsrfToken(session)
  return session
}

export function useSession(): Session {
  return useSuspenseQuery(sessionQuery).data
}
