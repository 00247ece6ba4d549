import type { QueryClient } from '@tanstack/react-query'
import { createRootRouteWithContext, createRoute, notFound, redirect } from '@tanstack/react-router'
import { sessionQuery } from '../api/session.ts'
import { RootLayout } from './root-layout.tsx'
import { SignedInLayout } from './signed-in-layout.tsx'

export const rootRoute = createRootRouteWithContext<{ readonly client: QueryClient }>()({
  component: RootLayout,
})

/** Everything that only somebody sees who is signed in; others come back to it once they are. */
export const signedInRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'signed-in',
  component: SignedInLayout,
  async beforeLoad({ context, location }) {
    const session = await context.client.ensureQueryData(sessionQuery)
    if (!session.user) throw redirect({ to: '/sign-in', search: { next: location.href } })
  },
})

/** `/<account id>/…`: an account of which the viewer is a member. */
export const ofAccountRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: '$accountId',
  async beforeLoad({ context, params }) {
    const session = await context.client.ensureQueryData(sessionQuery)
    if (!session.accounts.some(({ id }) => id === params.accountId)) throw notFound()
  },
})
