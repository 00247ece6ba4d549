import type { AuditLogBody } from '#contract/audit-logs.ts'
import type { TokenBody } from '#contract/tokens.ts'
import { CodeText } from '../parts/code-text.tsx'
import { Moment } from '../parts/moment.tsx'
import { AUDIT_ACTIONS } from './audit-actions.ts'
import { auditSubject } from './audit-subject.ts'

interface AuditEntryProps {
  readonly entry: AuditLogBody
  /** Of the account; undefined until they are known. */
  readonly tokens: readonly TokenBody[] | undefined
}

/** One line of the log; opened, what was before and what is now. */
export function AuditEntry({ entry, tokens }: AuditEntryProps) {
  const { when, action, actor, resource, oldValueJson, newValueJson } = entry
  const subject = auditSubject(entry)
  return (
    <details className="group py-3">
      <summary className="flex cursor-pointer flex-wrap items-baseline gap-x-4 gap-y-1">
        <span className="min-w-0 wrap-anywhere">
          <span className="font-semibold">{AUDIT_ACTIONS[action.type] ?? action.type}</span>
          {subject !== undefined && `: ${subject}`}
        </span>
        <span className="min-w-0 wrap-anywhere text-kumo-subtle">
          by {authorOf(entry, tokens)}
          {actor.ip !== undefined && ` from ${actor.ip}`}
        </span>
        <span className="ml-auto text-kumo-subtle">
          <Moment at={when} ago />
        </span>
      </summary>
      <div className="grid gap-4 pt-3 lg:grid-cols-2">
        <p className="text-kumo-subtle lg:col-span-2">
          <code className="font-mono text-sm">{action.type}</code>, {resource.type}{' '}
          <code className="font-mono text-sm">{resource.id}</code>, <Moment at={when} />
        </p>
        <Value title="Before" value={oldValueJson} />
        <Value title="After" value={newValueJson} />
      </div>
    </details>
  )
}

function authorOf({ actor, metadata }: AuditLogBody, tokens: readonly TokenBody[] | undefined): string {
  if (actor.type === 'system') return 'the service itself'
  const id = metadata['token_id']
  const name = tokens?.find((token) => token.id === id)?.name
  const isRevoked = tokens !== undefined && id !== undefined && name === undefined
  const token =
    name === undefined ? `an API token${isRevoked ? ' that was revoked' : ''}` : `API token ${name}`
  if (actor.email === undefined) return token
  return id === undefined ? actor.email : `${actor.email} with ${token}`
}

function Value({ title, value }: { readonly title: string; readonly value: unknown }) {
  const isNothing = value === null || value === undefined
  return (
    <div className="min-w-0">
      <h3 className="mb-2 font-semibold">{title}</h3>
      {isNothing ? (
        <p className="text-kumo-subtle">Nothing.</p>
      ) : (
        <CodeText text={JSON.stringify(value, null, 2)} what={title.toLowerCase()} />
      )}
    </div>
  )
}
