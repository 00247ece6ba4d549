import { createRoute, redirect } from '@tanstack/react-router'
import { sessionQuery } from '../api/session.ts'
import { lazyPage } from '../shell/lazy-page.ts'
import { rootRoute, signedInRoute } from '../shell/root-routes.tsx'

/** `/` leads to the overview of the viewer's first account. */
export const indexRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/',
  async beforeLoad({ context }) {
    const session = await context.client.ensureQueryData(sessionQuery)
    const [account] = session.accounts
    if (!session.user) throw redirect({ to: '/sign-in' })
    if (account) throw redirect({ to: '/$accountId/overview', params: { accountId: account.id } })
    throw redirect({ to: '/profile' })
  },
})

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  validateSearch: ({ next }: Record<string, unknown>): { readonly next?: string | undefined } => ({
    next: ownPath(next),
  }),
  component: lazyPage(async () => (await import('./sign-in-page.tsx')).SignInPage),
})

/** A path of this dashboard: a link must not lead elsewhere by way of the sign-in. */
export function ownPath(next: unknown): string | undefined {
  return typeof next === 'string' && /^\/(?![/\\])/.test(next) ? next : undefined
}

const invitationRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/invitations/$token',
  component: lazyPage(async () => (await import('./invitation-page.tsx')).InvitationPage),
})

const forgotPasswordRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/forgot-password',
  component: lazyPage(async () => (await import('./forgot-password-page.tsx')).ForgotPasswordPage),
})

const resetPasswordRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/reset-password',
  component: lazyPage(async () => (await import('./reset-password-page.tsx')).ResetPasswordPage),
})

export const profileRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: '/profile',
  component: lazyPage(async () => (await import('./profile-page.tsx')).ProfilePage),
})

export const sessionRoutes = [signInRoute, invitationRoute, forgotPasswordRoute, resetPasswordRoute] as const
