import { Button, LinkButton } from '@cloudflare/kumo/components/button'
import { useKumoToastManager } from '@cloudflare/kumo/components/toast'
import { BellIcon } from '@phosphor-icons/react'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import type { WebhookBody, WebhookTrialBody, WebhookWithSecretBody } from '#contract/webhooks.ts'
import { accountPath, ask } from '../api/ask.ts'
import { Problem, problemText } from '../api/problem.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Moment } from '../parts/moment.tsx'
import { Page, Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { SectionEmpty } from '../parts/section-empty.tsx'
import { useAccount } from '../shell/use-account.ts'
import { ReplayForm } from './replay-form.tsx'
import { WebhookDeliveries } from './webhook-deliveries.tsx'
import { WebhookForm } from './webhook-form.tsx'
import { WebhookSecret } from './webhook-secret.tsx'
import { WebhookState } from './webhook-state.tsx'

const route = getRouteApi('/signed-in/$accountId/account/webhooks/$webhookId')

export function WebhookPage() {
  const { id } = useAccount()
  const { webhookId } = route.useParams()
  const webhooks = accountPath(id, 'email/webhooks')
  const webhook = useAsk<WebhookBody>(`${webhooks}/${webhookId}`, { every: 5000 })
  if (webhook.data) return <Webhook webhook={webhook.data} webhooks={webhooks} />
  const isGone = webhook.error instanceof Problem && webhook.error.status === 404
  return (
    <Page
      title="Webhook"
      actions={
        <LinkButton variant="secondary" href={`/${id}/account/webhooks`}>
          All webhooks
        </LinkButton>
      }
    >
      {isGone ? <Gone /> : <Asked of={webhook}>{() => null}</Asked>}
    </Page>
  )
}

function Gone() {
  return (
    <Section title="Not found">
      <SectionEmpty
        icon={<BellIcon size={48} aria-hidden />}
        title="There is no such webhook"
        description="It was deleted, or the address of this page is mistyped."
      />
    </Section>
  )
}

interface WebhookProps {
  readonly webhook: WebhookBody
  /** The path of all. */
  readonly webhooks: string
}

function Webhook({ webhook, webhooks }: WebhookProps) {
  const path = `${webhooks}/${webhook.id}`
  const navigate = route.useNavigate()
  const toasts = useKumoToastManager()
  const [open, setOpen] = useState<'edit' | 'rotate' | 'delete' | 'replay'>()
  const [secret, setSecret] = useState<WebhookWithSecretBody>()
  const enable = useAct((enabled: boolean) => ask(path, { method: 'PATCH', body: { enabled } }), [webhooks])
  const trial = useAct(() => ask<WebhookTrialBody>(`${path}/test`, { method: 'POST', body: {} }), [path])
  const rotate = useAct(
    () => ask<WebhookWithSecretBody>(`${path}/rotate_secret`, { method: 'POST', body: {} }),
    [path],
  )
  const remove = useAct(() => ask(path, { method: 'DELETE' }), [])

  async function sendTest() {
    try {
      const { works, attempt } = await trial.mutateAsync(undefined)
      toasts.add({
        title: works ? 'It answered as it should' : 'It did not take the test',
        description:
          attempt.status === null ? (attempt.detail ?? attempt.error ?? '') : `HTTP ${attempt.status}`,
        variant: works ? 'success' : 'error',
      })
    } catch (error) {
      toasts.add({ title: 'The test was not sent', description: problemText(error), variant: 'error' })
    }
  }

  return (
    <Page
      title="Webhook"
      lead={<code className="font-mono">{webhook.url}</code>}
      actions={
        <>
          <Button loading={trial.isPending} onClick={() => void sendTest()}>
            Send a test
          </Button>
          <Button onClick={() => setOpen('replay')}>Replay</Button>
          <Button onClick={() => setOpen('edit')}>Edit</Button>
          <Button onClick={() => setOpen('rotate')}>Rotate the secret</Button>
          <Button variant="secondary-destructive" onClick={() => setOpen('delete')}>
            Delete
          </Button>
        </>
      }
    >
      {secret && <WebhookSecret webhook={secret} />}
      <Section
        title="State"
        actions={
          <Button
            loading={enable.isPending}
            onClick={() => enable.mutate(webhook.status === 'paused' || !webhook.enabled)}
          >
            {webhook.status === 'paused' ? 'Resume' : webhook.enabled ? 'Disable' : 'Enable'}
          </Button>
        }
      >
        <p className="flex flex-wrap items-center gap-3">
          <WebhookState status={webhook.status} />
          {webhook.failing_since !== null && (
            <span>
              Failing since <Moment at={webhook.failing_since} />.
            </span>
          )}
          {webhook.paused_at !== null && (
            <span>
              {webhook.pause_reason === 'gone' ? 'It answered 410, gone.' : 'It failed for days.'} What
              happens waits for it.
            </span>
          )}
        </p>
        {webhook.dropped_events > 0 && (
          <ProblemNote className="mt-3">
            {webhook.dropped_events} events were dropped: too many waited.
          </ProblemNote>
        )}
      </Section>
      <WebhookDeliveries path={path} />
      {open === 'edit' && (
        <WebhookForm open onOpenChange={() => setOpen(undefined)} path={webhooks} webhook={webhook} />
      )}
      <ReplayForm open={open === 'replay'} onOpenChange={() => setOpen(undefined)} path={path} />
      <ConfirmDialog
        open={open === 'rotate'}
        onOpenChange={() => setOpen(undefined)}
        title="Rotate the signing secret?"
        action="Rotate the secret"
        onConfirm={async () => setSecret(await rotate.mutateAsync(undefined))}
      >
        A new secret is shown once. The one before signs beside it for a day, so that the receiver may change
        over.
      </ConfirmDialog>
      <ConfirmDialog
        open={open === 'delete'}
        onOpenChange={() => setOpen(undefined)}
        title="Delete this webhook?"
        action="Delete the webhook"
        onConfirm={async () => {
          await remove.mutateAsync(undefined)
          await navigate({ to: '/$accountId/account/webhooks' })
        }}
      >
        What waits for it, and its log, go with it. This cannot be undone.
      </ConfirmDialog>
    </Page>
  )
}
