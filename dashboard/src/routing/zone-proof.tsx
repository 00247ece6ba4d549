import { Badge } from '@cloudflare/kumo/components/badge'
import { Button } from '@cloudflare/kumo/components/button'
import type { ZoneBody } from '#contract/zones.ts'
import { ask, zonePath } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { useAct, useAsk } from '../api/use-ask.ts'
import { Moment } from '../parts/moment.tsx'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { RecordList } from '../sending/record-list.tsx'

/** Proof may come at any moment from somebody who edits DNS elsewhere. */
const LOOK_MS = 5000

/** What proves whose a domain is, until public DNS says it. */
export function ZoneProof({ zone }: { readonly zone: ZoneBody }) {
  // Whoever asked for the zone hears of it too: the answer is kept under the same path.
  useAsk<ZoneBody>(zonePath(zone.id), { every: LOOK_MS })
  const check = useAct(
    () => ask(zonePath(zone.id, 'activation_check'), { method: 'PUT', body: {} }),
    [zonePath(zone.id)],
  )
  const { record, checked_on, problem } = zone.verification
  const delegation = zone.name_servers.map((content) => ({ type: 'NS' as const, name: zone.name, content }))
  return (
    <Section
      title="Prove that the domain is yours"
      lead={
        zone.type === 'full'
          ? 'Set these name servers at your registrar, or publish the TXT record at the DNS provider that you have now. This page goes on by itself once DNS says so.'
          : 'Publish this TXT record at the DNS provider of the domain. This page goes on by itself once DNS says so.'
      }
      actions={
        <Button loading={check.isPending} onClick={() => check.mutate(undefined)}>
          Check now
        </Button>
      }
    >
      {check.error && <ProblemNote className="mb-4">{problemText(check.error)}</ProblemNote>}
      <p className="mb-4 flex flex-wrap items-center gap-2" role="status">
        <Badge variant="warning">Pending</Badge>
        {problem ?? 'DNS was not looked at yet.'}
        {checked_on !== null && (
          <span className="text-kumo-subtle">
            Last looked <Moment at={checked_on} ago />
          </span>
        )}
      </p>
      <RecordList
        label="Records that prove the domain"
        records={zone.type === 'full' ? [...delegation, record] : [record]}
        zone={zone.name}
      />
    </Section>
  )
}
