import { Link } from '@cloudflare/kumo/components/link'
import type { CatchAllResult } from '#contract/rules.ts'
import { useAccount } from '../shell/use-account.ts'
import { ACTION_LABELS } from './action-labels.ts'
import { actionOf } from './read-rule.ts'

/** "Send to a Worker inbox". */
export function ActionText({ rule }: { readonly rule: Pick<CatchAllResult, 'actions'> }) {
  const { id } = useAccount()
  const { type, target } = actionOf(rule)
  if (type === 'drop') return <>{ACTION_LABELS.drop}</>
  return (
    <>
      {ACTION_LABELS[type]}{' '}
      {type === 'worker' ? (
        <Link href={`/${id}/workers/${target}`}>{target}</Link>
      ) : (
        <span className="font-mono text-sm">{target}</span>
      )}
    </>
  )
}
