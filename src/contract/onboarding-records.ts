import { z } from 'zod'

/** Records that a domain needs, and what of them DNS lacks: shared by sending subdomains and routing. */

/** The content is absent for the DKIM record of a key that is made when the domain is added. */
export const expectedRecord = z
  .object({
    type: z.enum(['MX', 'TXT', 'CNAME']),
    name: z.string(),
    content: z.string().optional(),
    priority: z.number().int().optional(),
    /** Seconds, or 1 for automatic. */
    ttl: z.number().int(),
  })
  .meta({ id: 'ExpectedRecord' })

export type ExpectedRecordBody = z.output<typeof expectedRecord>

const seenRecord = expectedRecord.extend({ type: z.string(), ttl: z.number().int().optional() })

/** The codes are the original's, apart from `dmarc.multiple`, `spf.too_many_lookups`, those of MTA-STS and
 *  `dns.unanswered`. */
export const recordErrorCode = z.enum([
  'mx.missing',
  'mx.foreign',
  'spf.missing',
  'spf.foreign',
  'spf.multiple',
  'dkim.missing',
  'dkim.conflict',
  'dmarc.missing',
  'dmarc.multiple',
  'spf.too_many_lookups',
  'mta_sts.missing',
  'mta_sts.conflict',
  'mta_sts.foreign',
  'dns.unanswered',
])

export const recordError = z
  .object({
    code: recordErrorCode,
    missing: expectedRecord.optional(),
    existing: seenRecord.optional(),
    multiple: z.array(seenRecord).optional(),
  })
  .meta({ id: 'RecordError' })

export type RecordErrorBody = z.output<typeof recordError>

/** What verifiers would have to look up for the SPF record as it would be, of at most `limit` (RFC 7208 §4.6.4). */
export const spfPreview = z.object({
  existing: z.string().nullable(),
  merged: z.string(),
  lookups: z.number().int(),
  limit: z.number().int(),
})

export const domainPreview = z
  .object({
    records: z.array(expectedRecord),
    errors: z.array(recordError),
    status: z.enum(['ready', 'unconfigured', 'unlocked', 'misconfigured']).optional(),
    spf: spfPreview,
  })
  .meta({ id: 'DomainPreview' })

export type DomainPreviewBody = z.output<typeof domainPreview>

/** A record with how it stands in DNS now. `next`: of a key that does not sign yet. */
export const checkedRecord = expectedRecord
  .extend({
    state: z.enum(['ready', 'missing', 'foreign', 'conflicting', 'multiple_spf', 'unanswered']),
    locked: z.boolean(),
    next: z.literal(true).optional(),
  })
  .meta({ id: 'CheckedRecord' })

export const domainStatus = z
  .object({
    records: z.array(checkedRecord),
    errors: z.array(recordError),
    status: z.enum(['ready', 'unconfigured', 'misconfigured', 'misconfigured/locked', 'unlocked']),
    /** Of a domain's own SPF record with our include in it. */
    spf_lookups: z.number().int().nullable(),
  })
  .meta({ id: 'DomainStatus' })

export type DomainStatusBody = z.output<typeof domainStatus>

/** A DKIM key's life: published, seen in DNS and signing, kept in DNS for what it signed, gone. */
export const dkimKey = z
  .object({
    selector: z.string(),
    state: z.enum(['publishing', 'active', 'retiring', 'retired']),
    created: z.string(),
    /** Since when it is in this state. */
    modified: z.string(),
    record: expectedRecord,
  })
  .meta({ id: 'DkimKey' })

export type DkimKeyBody = z.output<typeof dkimKey>
