import type { AuditLogBody } from '#contract/audit-logs.ts'
import { CodeText } from '../parts/code-text.tsx'
import { Moment } from '../parts/moment.tsx'

/** One line of the log; opened, what was before and what is now. */
export function AuditEntry({ entry }: { readonly entry: AuditLogBody }) {
  const { when, action, actor, resource, oldValueJson, newValueJson } = entry
  return (
    <details className="group py-3">
      <summary className="flex cursor-pointer flex-wrap items-baseline gap-x-4 gap-y-1">
        <code className="font-mono text-sm font-semibold">{action.type}</code>
        <span className="text-kumo-subtle">
          {actor.type === 'system' ? 'the service itself' : (actor.email ?? 'an API token of the account')}
          {actor.ip !== undefined && ` from ${actor.ip}`}
        </span>
        <span className="ml-auto text-kumo-subtle">
          <Moment at={when} ago />
        </span>
      </summary>
      <div className="grid gap-4 pt-3 lg:grid-cols-2">
        <p className="text-kumo-subtle lg:col-span-2">
          {resource.type} <code className="font-mono text-sm">{resource.id}</code>, <Moment at={when} />
        </p>
        <Value title="Before" value={oldValueJson} />
        <Value title="After" value={newValueJson} />
      </div>
    </details>
  )
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
