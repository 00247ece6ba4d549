import { Button } from '@cloudflare/kumo/components/button'
import { useState } from 'react'
import { ask, zonePath } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { DelegationNote } from '../domains/delegation-note.tsx'
import { DnsRoadChoice } from '../domains/dns-road-choice.tsx'
import { DNS_ROADS, type DnsRoad, roadOf } from '../domains/dns-roads.ts'
import type { ZoneDetail } from '../domains/zone-detail.ts'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'

/** How the zone's records come to DNS, of all its domains and of routing too. */
export function DnsHosting({ zone }: { readonly zone: ZoneDetail }) {
  const present = roadOf(zone)
  const [wanted, setWanted] = useState<DnsRoad>(present)
  const change = useAct(
    (road: DnsRoad) => ask(zonePath(zone.id), { method: 'PATCH', body: DNS_ROADS[road].wish }),
    ['/client/v4/zones'],
  )
  return (
    <Section
      title="DNS hosting"
      lead={`Of the whole zone ${zone.name}, for sending and routing. A change writes the records anew where they are hosted here.`}
    >
      <div className="flex max-w-2xl flex-col gap-4">
        <DnsRoadChoice value={wanted} onChange={setWanted} />
        {change.error && <ProblemNote>{problemText(change.error)}</ProblemNote>}
        <div>
          <Button
            disabled={wanted === present}
            loading={change.isPending}
            onClick={() => change.mutate(wanted)}
          >
            Change DNS hosting
          </Button>
        </div>
      </div>
      {zone.dns === 'hosted' && (
        <div className="mt-6">
          <DelegationNote zone={zone} />
        </div>
      )}
    </Section>
  )
}
