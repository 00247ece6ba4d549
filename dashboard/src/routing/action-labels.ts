import type { RuleAction } from './read-rule.ts'

/** The specification's words for what a rule does (config-routing-rules-addresses.md). */
export const ACTION_LABELS = {
  forward: 'Send to an email',
  worker: 'Send to a Worker',
  drop: 'Drop',
} as const satisfies Record<RuleAction['type'], string>
