import type { FastifyInstance } from 'fastify'
import {
  createSendingSubdomain,
  deleteSendingSubdomain,
  editSendingSubdomain,
  getSendingDns,
  getSendingDnsStatus,
  getSendingSubdomain,
  listSendingKeys,
  listSendingSubdomains,
  previewSendingSubdomain,
  repairSendingDns,
  rotateSendingKey,
  type SendingSubdomainBody,
} from '#contract/sending-subdomains.ts'
import { returnPathDomain } from '#model/service.ts'
import type { StatusWord } from '#registry/domains/judge-records.ts'
import type { MailDomain } from '#registry/domains/mail-domain.ts'
import type { Zone } from '#registry/domains/zones.ts'
import { apiTime } from './api-time.ts'
import { checkedRecords, keyBody, previewBody, recordBody, statusBody } from './onboarding-bodies.ts'
import { onboardingFault, rotationFault } from './onboarding-faults.ts'
import { auditBy, type OnboardingWorld, readName, withZone } from './onboarding-world.ts'
import { type Answer, type Call, NO_SUCH_OBJECT, serveOperation } from './serve-operation.ts'

/** `/zones/{zone_id}/email/sending/subdomains`. */
export function sendingSubdomainRoutes(api: FastifyInstance, world: OnboardingWorld): void {
  const { mailSetup } = world

  serveOperation(
    api,
    { operation: listSendingSubdomains, world },
    withZone(world, async (zone) => {
      const domains = await mailSetup.sendingDomains(zone)
      const result = await Promise.all(domains.map(body))
      const count = result.length
      return { result, info: { page: 1, per_page: count, count, total_count: count, total_pages: 1 } }
    }),
  )

  serveOperation(
    api,
    { operation: createSendingSubdomain, world },
    withZone(world, async (zone, { by, body: wanted }) => {
      const name = readName(zone, wanted.name)
      if (typeof name !== 'string') return name
      const added = await mailSetup.add(zone, name, 'sending', auditBy(by.audit))
      if (added.kind !== 'onboarded') return onboardingFault(added)
      const domain = await mailSetup.sendingDomain(zone, added.domainId)
      return domain ? { result: await body(domain) } : NO_SUCH_OBJECT
    }),
  )

  serveOperation(
    api,
    { operation: previewSendingSubdomain, world },
    withZone(world, async (zone, { body: wanted }) => {
      const name = readName(zone, wanted.name)
      if (typeof name !== 'string') return name
      const preview = await mailSetup.preview(zone, name, 'sending')
      if ('kind' in preview) return onboardingFault(preview)
      const status = await mailSetup.status(zone, await mailSetup.domainNamed(zone, name), 'sending')
      return { result: previewBody(preview, plainStatus(status)) }
    }),
  )

  serveOperation(
    api,
    { operation: getSendingSubdomain, world },
    withDomain(async (_zone, domain) => ({ result: await body(domain) })),
  )

  serveOperation(
    api,
    { operation: editSendingSubdomain, world },
    withDomain(async (zone, domain, { by, body: change }) => {
      const changed = await mailSetup.changeOptions(zone, domain, {
        previewEnabled: change.preview_enabled,
        dropSuppressedRecipients: change.drop_suppressed_recipients,
        record: auditBy(by.audit),
      })
      return changed ? { result: await body(changed) } : NO_SUCH_OBJECT
    }),
  )

  serveOperation(
    api,
    { operation: deleteSendingSubdomain, world },
    withDomain(async (zone, domain, { by }) => {
      const removed = await mailSetup.remove(zone, domain, 'sending', auditBy(by.audit))
      return removed ? { result: null } : NO_SUCH_OBJECT
    }),
  )

  serveOperation(
    api,
    { operation: getSendingDns, world },
    withDomain(async (zone, domain) => {
      const result = (await mailSetup.records(zone, domain, 'sending')).map(recordBody)
      const count = result.length
      return { result, info: { page: 1, per_page: count, count, total_count: count, total_pages: 1 } }
    }),
  )

  serveOperation(
    api,
    { operation: repairSendingDns, world },
    withDomain(async (zone, domain, { by }) => {
      const added = await mailSetup.add(zone, domain.name, 'sending', auditBy(by.audit))
      if (added.kind !== 'onboarded') return onboardingFault(added)
      const now = await mailSetup.sendingDomain(zone, domain.id)
      if (!now) return NO_SUCH_OBJECT
      return { result: checkedRecords(await mailSetup.check(zone, now, 'sending')) }
    }),
  )

  serveOperation(
    api,
    { operation: getSendingDnsStatus, world },
    withDomain(async (zone, domain) => ({
      result: statusBody(await mailSetup.check(zone, domain, 'sending')),
    })),
  )

  serveOperation(
    api,
    { operation: listSendingKeys, world },
    withDomain(async (_zone, domain) => ({ result: await keys(domain) })),
  )

  serveOperation(
    api,
    { operation: rotateSendingKey, world },
    withDomain(async (zone, domain, { by }) => {
      const rotation = await mailSetup.rotate(zone, domain, 'sending', auditBy(by.audit))
      const fault = rotationFault(rotation)
      return fault ?? { result: await keys(domain) }
    }),
  )

  function withDomain<Query, Body, Result>(
    handle: (zone: Zone, domain: MailDomain, call: Call<Query, Body>) => Promise<Answer<Result>>,
  ): (call: Call<Query, Body>) => Promise<Answer<Result>> {
    return withZone(world, async (zone, call) => {
      const id = call.params['subdomain_id']?.toLowerCase() ?? ''
      const domain = await mailSetup.sendingDomain(zone, id)
      return domain ? handle(zone, domain, call) : NO_SUCH_OBJECT
    })
  }

  async function body(domain: MailDomain): Promise<SendingSubdomainBody> {
    const { id, name, sending, createdAt, modifiedAt, previewEnabled, dropSuppressedRecipients } = domain
    return {
      tag: id,
      name,
      enabled: sending === 'pending' || sending === 'active',
      created: apiTime(createdAt),
      modified: apiTime(modifiedAt),
      dkim_selector: (await mailSetup.selector(domain, 'sending')) ?? '',
      return_path_domain: returnPathDomain(name),
      preview_enabled: previewEnabled,
      drop_suppressed_recipients: dropSuppressedRecipients,
    }
  }

  async function keys(domain: MailDomain) {
    const all = await mailSetup.keys(domain, 'sending')
    return all.map((key) => keyBody(domain.name, key))
  }
}

/** A preview has no word for the lock (clients.md §4). */
export function plainStatus(status: StatusWord): Exclude<StatusWord, 'misconfigured/locked'> {
  return status === 'misconfigured/locked' ? 'misconfigured' : status
}
