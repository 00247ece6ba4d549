import type {
  DkimKeyBody,
  DomainPreviewBody,
  DomainStatusBody,
  ExpectedRecordBody,
  RecordErrorBody,
} from '#contract/onboarding-records.ts'
import type { DomainKey } from '#registry/domains/dkim-key.ts'
import type { DomainCheck } from '#registry/domains/dns-check.ts'
import type { RecordProblem } from '#registry/domains/judge-records.ts'
import { dkimName, dkimText, type ExpectedRecord } from '#registry/domains/onboarding-records.ts'
import type { DomainPreview } from '#registry/domains/preview-domain.ts'
import { AUTOMATIC_TTL } from '#registry/domains/zone-record.ts'
import { apiTime } from './api-time.ts'

/** What the registry knows of a domain's records, as the API shows it. */
export function recordBody(record: ExpectedRecord): ExpectedRecordBody {
  const { type, name, content, priority } = record
  return {
    type,
    name,
    ...(content !== '' && { content }),
    ...(priority !== null && { priority }),
    ttl: AUTOMATIC_TTL,
  }
}

export function statusBody(check: DomainCheck): DomainStatusBody {
  return {
    records: checkedRecords(check),
    errors: errorsOf(check),
    status: check.status,
    spf_lookups: check.spfLookups ?? null,
  }
}

export function checkedRecords({ records }: Pick<DomainCheck, 'records'>): DomainStatusBody['records'] {
  return records.map(({ expected, state, locked }) => ({
    ...recordBody(expected),
    state: state === 'multiple-spf' ? 'multiple_spf' : state,
    locked,
    ...(expected.next && { next: true as const }),
  }))
}

export function errorsOf({
  problems,
  unanswered,
}: {
  readonly problems: readonly RecordProblem[]
  readonly unanswered: readonly string[]
}): RecordErrorBody[] {
  return [...problems.map(errorBody), ...(unanswered.length > 0 ? [{ code: 'dns.unanswered' as const }] : [])]
}

export function previewBody(preview: DomainPreview, status: DomainPreviewBody['status']): DomainPreviewBody {
  return {
    records: preview.records.map(recordBody),
    errors: errorsOf(preview),
    ...(status && { status }),
    spf: { ...preview.spf },
  }
}

export function keyBody(domain: string, key: DomainKey): DkimKeyBody {
  return {
    selector: key.selector,
    state: key.state,
    created: apiTime(key.created_at),
    modified: apiTime(key.state_at),
    record: {
      type: 'TXT',
      name: dkimName(key.selector, domain),
      content: dkimText(key.public_key),
      ttl: AUTOMATIC_TTL,
    },
  }
}

function errorBody({ code, missing, existing, multiple }: RecordProblem): RecordErrorBody {
  const seen = ({ name, type, content, priority }: NonNullable<RecordProblem['existing']>) => ({
    ...{ type, name, content },
    ...(priority !== null && { priority }),
  })
  return {
    code,
    ...(missing && { missing: recordBody(missing) }),
    ...(existing && { existing: seen(existing) }),
    ...(multiple && { multiple: multiple.map(seen) }),
  }
}
