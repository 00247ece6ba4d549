import { Button, LinkButton } from '@cloudflare/kumo/components/button'
import type { DomainPreviewBody } from '#contract/onboarding-records.ts'
import type { SendingSubdomainBody } from '#contract/sending-subdomains.ts'
import type { ZoneBody } from '#contract/zones.ts'
import { ask, zonePath } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { plainDomain } from '../domains/covering-zone.ts'
import { PlannedRecordList } from '../domains/planned-record-list.tsx'
import { blocks } from '../domains/record-problems.ts'
import { useRecordsPreview } from '../domains/use-records-preview.ts'
import { ZoneProof } from '../domains/zone-proof.tsx'
import { Asked } from '../parts/asked.tsx'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { onboardRoute } from './routes.ts'
import { sendingDomainPath } from './use-domain-status.ts'

interface ReviewRecordsProps {
  readonly zone: ZoneBody
  readonly name: string
}

/** The records before they are written, and the button that writes them. */
export function ReviewRecords({ zone: listed, name: written }: ReviewRecordsProps) {
  const waits = listed.status === 'pending'
  const watched = useAsk<ZoneBody>(zonePath(listed.id), { enabled: waits })
  const zone = watched.data ?? listed
  const { accountId } = onboardRoute.useParams()
  const navigate = onboardRoute.useNavigate()
  const name = plainDomain(written)
  const base = sendingDomainPath(zone.id)
  const preview = useRecordsPreview(`${base}/preview`, name)
  const onboard = useAct(
    () => ask<SendingSubdomainBody>(base, { method: 'POST', body: { name } }),
    ['/client/v4/zones'],
  )
  const isPending = zone.status === 'pending'

  async function done() {
    const { tag } = await onboard.mutateAsync(undefined)
    await navigate({
      to: '/$accountId/sending/domains/$zoneId/$domainId',
      params: { accountId, zoneId: zone.id, domainId: tag },
    })
  }

  return (
    <>
      {isPending && (
        <ZoneProof
          zone={zone}
          onRemoved={() => navigate({ to: '/$accountId/sending/domains', params: { accountId }, search: {} })}
        />
      )}
      <Section title={`Records for ${name}`} lead={leadOf(zone, name)}>
        <Asked of={preview}>
          {(answer) => (
            <>
              <PlannedRecordList preview={answer} zone={zone.name} owner={zone} />
              {onboard.error && <ProblemNote className="mt-4">{problemText(onboard.error)}</ProblemNote>}
              <div className="mt-6 flex flex-wrap items-center gap-3">
                <Button
                  variant="primary"
                  loading={onboard.isPending}
                  disabled={isPending || answer.errors.some(blocks)}
                  onClick={() => void done().catch(() => {})}
                >
                  Done
                </Button>
                <LinkButton variant="secondary" href={`/${accountId}/sending/domains/onboard`}>
                  Another domain
                </LinkButton>
                <p className="text-kumo-subtle">{hintOf(zone, answer.errors)}</p>
              </div>
            </>
          )}
        </Asked>
      </Section>
    </>
  )
}

function leadOf({ dns }: ZoneBody, name: string): string {
  return dns === 'manual'
    ? `You publish these at the DNS provider of ${name}; once they are found, it sends.`
    : `These let ${name} send, and bring its bounces back here. Its own mail is not touched.`
}

function hintOf(zone: ZoneBody, errors: DomainPreviewBody['errors']): string {
  if (zone.status === 'pending') return 'Once the domain is proven to be yours, you can go on.'
  if (errors.some(blocks)) return 'What is named above has to be mended first.'
  return zone.dns === 'manual'
    ? 'Done makes the DKIM key, and shows the records to copy.'
    : 'Done writes these records. Nothing is written before.'
}
