import type { AuditLogBody } from '#contract/audit-logs.ts'

/** What names a thing, whichever it is; the first that one has. */
const NAMES = ['email', 'address', 'url', 'name', 'queue_name', 'script_name', 'script', 'title', 'domain']

/** What was changed, by the name that a person knows it by, as it is now or else as it was; undefined where the log holds
 *  none. */
export function auditSubject(entry: AuditLogBody): string | undefined {
  const { newValueJson, oldValueJson, metadata, resource } = entry
  const named = nameIn(newValueJson) ?? nameIn(oldValueJson) ?? metadata['zone_name']
  if (named !== undefined) return named
  // A Worker's id is its name; others are called by digits that tell a person nothing.
  return /^[0-9a-f-]{32,}$/.test(resource.id) || resource.id === '' ? undefined : resource.id
}

function nameIn(value: unknown): string | undefined {
  if (!isRecord(value)) return undefined
  const { matchers, user } = value
  const first: unknown = Array.isArray(matchers) ? matchers[0] : undefined
  // A rule's name is seldom given: it is known by its address.
  if (isRecord(first) && typeof first['value'] === 'string') return first['value']
  if (isRecord(user) && typeof user['email'] === 'string') return user['email']
  const texts = NAMES.map((name) => value[name]).filter((text) => typeof text === 'string')
  return texts.find((text) => text !== '')
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
