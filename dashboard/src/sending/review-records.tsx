import { Badge } from '@cloudflare/kumo/components/badge'
import { Button, LinkButton } from '@cloudflare/kumo/components/button'
import { useQuery } from '@tanstack/react-query'
import type { DomainPreviewBody, ExpectedRecordBody } from '#contract/onboarding-records.ts'
import type { SendingSubdomainBody } from '#contract/sending-subdomains.ts'
import type { ZoneBody } from '#contract/zones.ts'
import { ask, zonePath } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { queryKey, useAct, useAsk } from '../api/use-ask.ts'
import { Asked } from '../parts/asked.tsx'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { plainDomain } from './covering-zone.ts'
import { ProblemList } from './problem-list.tsx'
import { RecordList } from './record-list.tsx'
import { blocks } from './record-problems.ts'
import { onboardRoute } from './routes.ts'
import { sendingDomainPath } from './use-domain-status.ts'
import { ZoneProof } from './zone-proof.tsx'

interface ReviewRecordsProps {
  readonly zone: ZoneBody
  readonly name: string
}

/** The service asks DNS by itself, each minute at the most; this sees soon after what it found. */
const LOOK_AGAIN_MS = 5000

/** The records before they are written, and the button that writes them. */
export function ReviewRecords({ zone: listed, name: written }: ReviewRecordsProps) {
  const waits = listed.status === 'pending'
  const watched = useAsk<ZoneBody>(zonePath(listed.id), { enabled: waits, every: waits && LOOK_AGAIN_MS })
  const zone = watched.data ?? listed
  const { accountId } = onboardRoute.useParams()
  const navigate = onboardRoute.useNavigate()
  const name = plainDomain(written)
  const base = sendingDomainPath(zone.id)
  const preview = useQuery({
    queryKey: [...queryKey(base), 'preview', name],
    queryFn: ({ signal }) =>
      ask<DomainPreviewBody>(`${base}/preview`, { method: 'POST', body: { name }, signal }),
  })
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
      {isPending && <ZoneProof zone={zone} />}
      <Section title={`Records for ${name}`} lead={leadOf(zone, name)}>
        <Asked of={preview}>
          {({ records, errors }) => (
            <>
              <ProblemList errors={errors} />
              <RecordList
                label="Records to be added"
                records={records}
                zone={zone.name}
                renderState={(record) => <FutureBadge isThere={!isMissing(record, errors)} />}
              />
              {onboard.error && <ProblemNote className="mt-4">{problemText(onboard.error)}</ProblemNote>}
              <div className="mt-6 flex flex-wrap items-center gap-3">
                <Button
                  variant="primary"
                  loading={onboard.isPending}
                  disabled={isPending || errors.some(blocks)}
                  onClick={() => void done().catch(() => {})}
                >
                  Done
                </Button>
                <LinkButton variant="secondary" href={`/${accountId}/sending/domains/onboard`}>
                  Another domain
                </LinkButton>
                <p className="text-kumo-subtle">{hintOf(zone, errors)}</p>
              </div>
            </>
          )}
        </Asked>
      </Section>
    </>
  )
}

/** An existing record may differ from ours and still do: what counts is whether it is missed. */
function isMissing(record: ExpectedRecordBody, errors: DomainPreviewBody['errors']): boolean {
  return errors.some(
    ({ missing }) =>
      missing?.type === record.type && missing.name === record.name && missing.content === record.content,
  )
}

function FutureBadge({ isThere }: { readonly isThere: boolean }) {
  return isThere ? <Badge variant="success">Already there</Badge> : <Badge variant="info">To be added</Badge>
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
