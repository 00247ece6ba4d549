import { join } from 'node:path'
import { hostName, isLoopback } from '#ingress/http-api/guard.ts'
import type { HttpWorld } from '#ingress/http-api/http-world.ts'
import { sessionCookie } from '#ingress/http-api/session-cookie.ts'
import { openInvitationMail } from '#outbound/notices/invitation-mail.ts'
import { INVITATION_LIFE_MS } from '#registry/accounts/invitations.ts'
import { openMimeReader } from '#sandbox/mime-reader.ts'
import { PREVIEW_HEADERS } from '#sandbox/preview-page.ts'
import type { Kept } from './kept.ts'
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
): Pick<HttpWorld, 'dashboard' | 'members' | 'preview'> {
  const { queue, publicUrl, ports } = world
  const { config, service, bodies } = world.kept
  const { domains, development } = world.registries
  const reader = openMimeReader()
  opened.defer(() => reader.close())
  const here = (port: number) => ({ host: 'localhost', port })
  return {
    dashboard: {
      cookie: sessionCookie(config.PUBLIC_URL?.startsWith('https:') ?? false),
      // A proxy before this server may name it as it likes: nobody could tell its visitors from who sits here.
      developmentUser: isReachedElsewhere(config.PUBLIC_URL) ? undefined : development.admin.email,
      service: () => ({
        domain: service.domain,
        mx: here(ports.mx),
        submission: here(ports.submission),
        dns: here(ports.dns),
        workers: `http://${config.WORKERS_HOST}:${ports.workers}`,
        inbox: true,
        public_url: publicUrl(),
      }),
      files: config.DASHBOARD ?? join(import.meta.dirname, '../../dashboard/dist'),
    },
    members: {
      invitationMail: openInvitationMail({
        ...{ bodies, queue, domains, service },
        ...{ linkMs: INVITATION_LIFE_MS, expireMs: config.EXPIRE_MS },
      }),
      publicUrl,
    },
    async preview(source, gone) {
      const shown = await reader.preview(source, gone)
      if (shown === undefined || shown === 'busy' || 'unreadable' in shown) return shown
      return { page: shown.page, headers: PREVIEW_HEADERS }
    },
  }
}

function isReachedElsewhere(publicUrl: string | undefined): boolean {
  return publicUrl !== undefined && !isLoopback(hostName(new URL(publicUrl).host) ?? '')
}
