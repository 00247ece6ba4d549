import { Badge } from '@cloudflare/kumo/components/badge'
import type { RoutingSettingsBody } from '#contract/routing-settings.ts'

const WORDS = {
  ready: ['success', 'Ready'],
  unlocked: ['success', 'Ready, unlocked'],
  misconfigured: ['error', 'Misconfigured'],
  'misconfigured/locked': ['error', 'Misconfigured'],
  unconfigured: ['warning', 'Waiting for DNS'],
} as const satisfies Record<RoutingSettingsBody['status'], readonly ['success' | 'warning' | 'error', string]>

/** Whether a domain takes mail. */
export function RoutingStatus({ settings }: { readonly settings: RoutingSettingsBody }) {
  if (!settings.enabled) {
    return (
      <Badge variant="neutral" appearance="dot">
        Not onboarded
      </Badge>
    )
  }
  const [variant, label] = WORDS[settings.status]
  return (
    <Badge variant={variant} appearance="dot">
      {label}
    </Badge>
  )
}
