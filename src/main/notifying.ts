import { rootCertificates } from 'node:tls'
import { openProjector } from '#analytics/projector.ts'
import { openNotify } from '#notify/notify.ts'
import { auditWrite } from '#registry/accounts/audit.ts'
import type { Kept } from './kept.ts'
import { notifyWatch } from './metered.ts'
import type { Registries } from './registries.ts'
import { repeat } from './repeat.ts'
import type { WorkersStorage } from './workers-storage.ts'

const SWEEP_MS = 60_000

/** What becomes of events: history, figures, and whoever is told of them. */
export async function openNotifying(
  kept: Kept,
  { resolver, ca, reputation }: Registries,
  { queues }: WorkersStorage,
  opened: AsyncDisposableStack,
) {
  const { config, log, metrics, store, vault, history, incarnation, mayDial, now, random } = kept
  const notify = await openNotify({
    ...{ store, vault, queues, resolver, mayDial, random, clock: now },
    plainHttp: config.WEBHOOKS_HTTP,
    watch: notifyWatch(metrics),
    ca: [...rootCertificates, ca.certificate],
    recordPause: (webhook, at) => [
      auditWrite({
        ...{ accountId: webhook.accountId, actor: 'system', action: 'webhook.pause', at },
        resource: { type: 'webhook', id: webhook.id },
        after: { url: webhook.url, status: 'paused', pause_reason: webhook.pauseReason },
      }),
    ],
    onError: (error) => log.error({ err: error }, 'notify: something could not be told, it is tried again'),
  })
  opened.defer(() => notify.close())
  opened.use(repeat(SWEEP_MS, () => notify.sweep(), log))
  const projector = openProjector({
    ...{ store, history, log, node: incarnation.id },
    notificationsFor: async (events) => [
      ...(await notify.notificationsFor(events)),
      ...(await reputation.writesFor(events)),
    ],
    onProjected: () => notify.wake(),
  })
  opened.defer(() => projector.close())
  notify.begin()
  return notify
}

export type Notifying = Awaited<ReturnType<typeof openNotifying>>
