import { z } from 'zod'
import { checkedRecord, dkimKey, domainPreview, domainStatus, expectedRecord } from './onboarding-records.ts'
import { operation } from './operation.ts'

/** `/zones/{zone_id}/email/sending/subdomains`: the domains of a zone that send, its own name among them. */

export const sendingSubdomain = z
  .object({
    /** Waiting for its records or in use. */
    enabled: z.boolean(),
    name: z.string(),
    tag: z.string(),
    created: z.string(),
    dkim_selector: z.string(),
    modified: z.string(),
    return_path_domain: z.string(),
    preview_enabled: z.boolean(),
    drop_suppressed_recipients: z.boolean(),
  })
  .meta({ id: 'SendingSubdomain' })

export type SendingSubdomainBody = z.output<typeof sendingSubdomain>

const base = '/zones/{zone_id}/email/sending/subdomains'
const one = `${base}/{subdomain_id}` as const
const wanted = z
  .strictObject({ name: z.string().max(1000) })
  .meta({ examples: [{ name: 'news.yourdomain.com' }] })

const zone = { scope: 'zone' } as const
const reads = { ...zone, permission: 'Email Sending:Read' } as const
const edits = { ...zone, permission: 'Email Sending:Edit' } as const

export const listSendingSubdomains = operation({
  id: 'sending_subdomains.list',
  method: 'GET',
  path: base,
  summary: 'The domains of a zone that send.',
  ...reads,
  result: z.array(sendingSubdomain),
  paging: 'single',
})

export const createSendingSubdomain = operation({
  id: 'sending_subdomains.create',
  method: 'POST',
  path: base,
  summary: 'Sets a domain of the zone up for sending, or again with the key it had.',
  ...edits,
  body: wanted,
  result: sendingSubdomain,
})

export const previewSendingSubdomain = operation({
  id: 'sending_subdomains.preview',
  method: 'POST',
  path: `${base}/preview`,
  summary: 'The records that a domain would get, and what stands in their way; nothing is written.',
  ...reads,
  body: wanted,
  result: domainPreview,
})

export const getSendingSubdomain = operation({
  id: 'sending_subdomains.get',
  method: 'GET',
  path: one,
  summary: 'One domain that sends.',
  ...reads,
  result: sendingSubdomain,
})

export const editSendingSubdomain = operation({
  id: 'sending_subdomains.edit',
  method: 'PATCH',
  path: one,
  summary: 'Changes how the domain treats message contents and suppressed recipients.',
  ...edits,
  body: z
    .strictObject({
      preview_enabled: z.boolean().optional(),
      drop_suppressed_recipients: z.boolean().optional(),
    })
    .meta({ examples: [{ preview_enabled: true }] }),
  result: sendingSubdomain,
})

export const deleteSendingSubdomain = operation({
  id: 'sending_subdomains.delete',
  method: 'DELETE',
  path: one,
  summary: 'Ends sending from the domain and removes its records; routing stays.',
  ...edits,
  result: z.null(),
})

export const getSendingDns = operation({
  id: 'sending_subdomains.dns.get',
  method: 'GET',
  path: `${one}/dns`,
  summary: 'The records that the domain needs.',
  ...reads,
  result: z.array(expectedRecord),
  paging: 'single',
})

export const repairSendingDns = operation({
  id: 'sending_subdomains.dns.repair',
  method: 'POST',
  path: `${one}/dns`,
  summary: 'Writes again what is missing of the records, and looks at DNS.',
  ...edits,
  result: z.array(checkedRecord),
})

export const getSendingDnsStatus = operation({
  id: 'sending_subdomains.dns.status',
  method: 'GET',
  path: `${one}/dns/status`,
  summary: 'Looks at DNS now: how each record stands, and what is wrong.',
  ...reads,
  result: domainStatus,
})

export const listSendingKeys = operation({
  id: 'sending_subdomains.dkim.list',
  method: 'GET',
  path: `${one}/dkim`,
  summary: 'The DKIM keys of the domain, oldest first.',
  ...reads,
  result: z.array(dkimKey),
})

export const rotateSendingKey = operation({
  id: 'sending_subdomains.dkim.rotate',
  method: 'POST',
  path: `${one}/dkim/rotate`,
  summary: 'Makes and publishes a new DKIM key, which signs once it was seen in DNS.',
  ...edits,
  result: z.array(dkimKey),
})

export const sendingSubdomainOperations = [
  listSendingSubdomains,
  createSendingSubdomain,
  previewSendingSubdomain,
  getSendingSubdomain,
  editSendingSubdomain,
  deleteSendingSubdomain,
  getSendingDns,
  repairSendingDns,
  getSendingDnsStatus,
  listSendingKeys,
  rotateSendingKey,
]
