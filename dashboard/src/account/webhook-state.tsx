import { Badge } from '@cloudflare/kumo/components/badge'
import type { WebhookBody } from '#contract/webhooks.ts'

const STATES = {
  active: { variant: 'success', label: 'Active' },
  failing: { variant: 'warning', label: 'Failing' },
  paused: { variant: 'error', label: 'Paused' },
  disabled: { variant: 'secondary', label: 'Disabled' },
} as const

export function WebhookState({ status }: { readonly status: WebhookBody['status'] }) {
  const { variant, label } = STATES[status]
  return <Badge variant={variant}>{label}</Badge>
}
