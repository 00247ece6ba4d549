import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { type FormEvent, useState } from 'react'
import type { ZoneBody } from '#contract/zones.ts'
import { ask } from '../api/ask.ts'
import { Problem, problemText } from '../api/problem.ts'
import { useAct } from '../api/use-ask.ts'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { useSession } from '../session/session.ts'
import { coveringZone, plainDomain } from './covering-zone.ts'
import { DnsRoadChoice } from './dns-road-choice.tsx'
import { DNS_ROADS, type DnsRoad } from './dns-roads.ts'
import { onboardRoute } from './routes.ts'

interface ChooseDomainProps {
  readonly zones: readonly ZoneBody[]
  readonly initial: string
}

/** Suggestions that are shown; whoever has more zones types. */
const MOST_SUGGESTED = 8

/** Which domain, and where a new one has its DNS. A zone is made for it; nothing is written to DNS yet. */
export function ChooseDomain({ zones, initial }: ChooseDomainProps) {
  const { accountId } = onboardRoute.useParams()
  const navigate = onboardRoute.useNavigate()
  const { development } = useSession()
  const [written, setWritten] = useState(initial)
  // In development every zone is its maker's at once, and hosting it asks nothing of anybody.
  const [road, setRoad] = useState<DnsRoad>(development ? 'full' : 'manual')
  const domain = plainDomain(written)
  const zone = coveringZone(zones, domain)

  const create = useAct(
    (name: string) => {
      const body = { name, account: { id: accountId }, ...DNS_ROADS[road].wish }
      return ask<ZoneBody>('/client/v4/zones', { method: 'POST', body })
    },
    ['/client/v4/zones'],
  )
  const fieldProblem = create.error instanceof Problem ? create.error.at('/name') : undefined

  async function go(event: FormEvent) {
    event.preventDefault()
    if (domain === '') return
    if (!zone) await create.mutateAsync(domain)
    await navigate({ search: { domain } })
  }

  return (
    <Section title="Choose a domain">
      <form
        className="flex max-w-2xl flex-col gap-6"
        // What was refused is shown by the form.
        onSubmit={(event) => void go(event).catch(() => {})}
      >
        <Input
          label="Domain"
          placeholder="example.com"
          description="A domain that you own, or a name below it such as mail.example.com."
          value={written}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          // oxlint-disable-next-line jsx-a11y/no-autofocus -- the page is this question, and was asked for
          autoFocus
          required
          {...(fieldProblem !== undefined && { error: fieldProblem })}
          onChange={({ target }) => {
            create.reset()
            setWritten(target.value)
          }}
        />
        <Suggestions zones={zones} onChoose={setWritten} />
        {domain.includes('.') && zone === undefined && <DnsRoadChoice value={road} onChange={setRoad} />}
        {zone !== undefined && (
          <p className="text-kumo-subtle">
            {domain === zone.name ? 'A zone of this account.' : `In your zone ${zone.name}.`}
          </p>
        )}
        {create.error && fieldProblem === undefined && <ProblemNote>{problemText(create.error)}</ProblemNote>}
        <div>
          <Button type="submit" variant="primary" loading={create.isPending}>
            Review records
          </Button>
        </div>
      </form>
    </Section>
  )
}

interface SuggestionsProps {
  readonly zones: readonly ZoneBody[]
  readonly onChoose: (name: string) => void
}

function Suggestions({ zones, onChoose }: SuggestionsProps) {
  if (zones.length === 0) return null
  return (
    <fieldset className="flex flex-wrap items-center gap-2">
      <legend className="mb-2 text-kumo-subtle">Zones of this account</legend>
      {zones.slice(0, MOST_SUGGESTED).map(({ id, name }) => (
        <Button key={id} size="sm" onClick={() => onChoose(name)}>
          {name}
        </Button>
      ))}
    </fieldset>
  )
}
