import { join } from 'node:path'
import { hostName, isLoopback } from '#ingress/http-api/guard.ts'
import type { HttpWorld } from '#ingress/http-api/http-world.ts'
import { sessionCookie } from '#ingress/http-api/session-cookie.ts'
import { openInvitationMail } from '#outbound/notices/invitation-mail.ts'
import { openPasswordResetMail } from '#outbound/notices/password-reset-mail.ts'
import { INVITATION_LIFE_MS } from '#registry/accounts/invitations.ts'
import { PASSWORD_RESET_LIFE_MS } from '#registry/accounts/password-resets.ts'
import { openMimeReader } from '#sandbox/mime-reader.ts'
import type { Kept } from './kept.ts'
import { mailReader } from './mail-reader.ts'
import type { Promised } from './promised.ts'
import type { Registries } from './registries.ts'

/** What the dashboard needs of the HTTP door besides the API: how people sign in and are invited, what they are told of
 *  the service around it, and how mail is looked at. */
export function openDashboard(
  world: {
    readonly kept: Kept
    readonly registries: Registries
    readonly queue: Promised['queue']
    readonly publicUrl: () => string
    readonly ports: {
      readonly mx: number
      readonly submission: number
      readonly dns: number
      readonly workers: number
    }
  },
  opened: AsyncDisposableStack,
): Pick<HttpWorld, 'dashboard' | 'members' | 'mailReader'> {
  const { queue, publicUrl, ports } = world
  const { config, service, bodies } = world.kept
  const { domains, development, ca } = world.registries
  const reader = openMimeReader()
  opened.defer(() => reader.close())
  // All mail lies in the inbox. Whoever else reaches this door reads it there, and must not find links that sign in as
  // somebody.
  const mailArrives = !isReachedElsewhere(config.PUBLIC_URL)
  const ownMail = { bodies, queue, domains, service, expireMs: config.EXPIRE_MS }
  const here = (port: number) => ({ host: 'localhost', port })
  return {
    dashboard: {
      cookie: sessionCookie(config.PUBLIC_URL?.startsWith('https:') ?? false),
      // A proxy before this server may name it as it likes: nobody could tell its visitors from who sits here.
      developmentUser: isReachedElsewhere(config.PUBLIC_URL) ? undefined : development.admin.email,
      mailArrives,
      resetMail: openPasswordResetMail({ ...ownMail, linkMs: PASSWORD_RESET_LIFE_MS }),
      service: () => ({
        domain: service.domain,
        mx: here(ports.mx),
        submission: here(ports.submission),
        ca: ca.certificatePath,
        dns: here(ports.dns),
        workers: `http://${config.WORKERS_HOST}:${ports.workers}`,
        inbox: true,
        public_url: publicUrl(),
      }),
      files: config.DASHBOARD ?? join(import.meta.dirname, '../../dashboard/dist'),
    },
    members: {
      mailArrives,
      invitationMail: openInvitationMail({ ...ownMail, linkMs: INVITATION_LIFE_MS }),
      publicUrl,
    },
    mailReader: mailReader(reader),
  }
}

function isReachedElsewhere(publicUrl: string | undefined): boolean {
  return publicUrl !== undefined && !isLoopback(hostName(new URL(publicUrl).host) ?? '')
}
