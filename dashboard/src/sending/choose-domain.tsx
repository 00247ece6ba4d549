import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { type FormEvent, useState } from 'react'
import type { ZoneBody } from '#contract/zones.ts'
import { coveringZone, plainDomain } from '../domains/covering-zone.ts'
import { DnsRoadChoice } from '../domains/dns-road-choice.tsx'
import { useNewZone } from '../domains/use-new-zone.ts'
import { Section } from '../parts/page.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
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
  const [written, setWritten] = useState(initial)
  const { road, setRoad, create, isPending, nameProblem, otherProblem, reset } = useNewZone(accountId)
  const domain = plainDomain(written)
  const zone = coveringZone(zones, domain)

  async function go(event: FormEvent) {
    event.preventDefault()
    if (domain === '') return
    if (!zone) await create(domain)
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
          {...(nameProblem !== undefined && { error: nameProblem })}
          onChange={({ target }) => {
            reset()
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
        {otherProblem !== undefined && <ProblemNote>{otherProblem}</ProblemNote>}
        <div>
          <Button type="submit" variant="primary" loading={isPending}>
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
        <Button key={id} size="sm" className="max-w-full" onClick={() => onChoose(name)}>
          <span className="truncate">{name}</span>
        </Button>
      ))}
    </fieldset>
  )
}
