import { type AuditActor, auditWrite } from '#registry/accounts/audit.ts'
import type {
  RecordSuppressions,
  Suppression,
  SuppressionChanged,
} from '#registry/suppressions/suppressions.ts'
import type { Write } from '#store/store.ts'
import { suppressionDetail, uuidOf } from './suppressions-answers.ts'

/** Lines of the audit log about single entries that somebody added, edited or deleted. */
export function noteSuppressions(actor: AuditActor, accountId: string): RecordSuppressions {
  return (changes) => changes.map((change) => lineAbout(change, actor, accountId))
}

function lineAbout({ before, after, at }: SuppressionChanged, actor: AuditActor, accountId: string): Write {
  const entry = after ?? before
  if (!entry) throw new Error('a change of a suppression has neither a before nor an after')
  const verb = !before ? 'create' : !after ? 'delete' : 'update'
  return auditWrite({
    ...{ accountId, actor, at, action: `suppression.${verb}` },
    resource: { type: 'suppression', id: uuidOf(entry.id) },
    ...(before && { before: suppressionDetail(before) }),
    ...(after && { after: suppressionDetail(after) }),
  })
}

/** Characters of JSON in one line: a line of the log has a limit, and leaves out what is beyond. */
const LONGEST_LINE = 50_000

/** The same of entries that came in bulk: as few lines as hold them all, so that an import does not bury the log. */
export function noteImport(actor: AuditActor, accountId: string): RecordSuppressions {
  return (changes) =>
    inParts(changes.flatMap(({ after }) => after ?? [])).map((entries) =>
      auditWrite({
        ...{ accountId, actor, action: 'suppression.import', at: changes[0]?.at ?? 0 },
        resource: { type: 'suppressions', id: accountId },
        after: { count: entries.length, entries },
      }),
    )
}

function inParts(entries: readonly Suppression[]): object[][] {
  const parts: object[][] = []
  let room = 0
  for (const entry of entries) {
    const { id, email, scope, expires_at, note } = suppressionDetail(entry)
    const shown = { id, email, scope, expires_at, note }
    const length = JSON.stringify(shown).length + 1
    if (length > room) {
      parts.push([])
      room = LONGEST_LINE
    }
    parts.at(-1)?.push(shown)
    room -= length
  }
  return parts
}
