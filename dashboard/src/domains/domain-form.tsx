import { Button } from '@cloudflare/kumo/components/button'
import { Input } from '@cloudflare/kumo/components/input'
import { type FormEvent, type ReactNode, useState } from 'react'
import { ProblemNote } from '../parts/problem-note.tsx'
import { plainDomain } from './covering-zone.ts'
import { DnsRoadChoice } from './dns-road-choice.tsx'
import { useNewZone } from './use-new-zone.ts'

interface DomainFormProps {
  readonly accountId: string
  readonly description: string
  /** Of the account, to choose from at once; whoever has more of them types. */
  readonly zones: readonly { readonly id: string; readonly name: string }[]
  readonly zonesTitle: string
  /** The zone that a domain is of already; without one it is made. */
  readonly zoneOf: (domain: string) => string | undefined
  /** What there is to know about a domain before one goes on. */
  readonly renderNote?: (domain: string) => ReactNode
  readonly onChosen: (zoneId: string) => unknown
}

const MOST_SUGGESTED = 8

/** Asks which domain, and where a new one has its DNS. Nothing is written to DNS yet. */
export function DomainForm(props: DomainFormProps) {
  const { accountId, description, zones, zonesTitle, zoneOf, renderNote, onChosen } = props
  const [written, setWritten] = useState('')
  const { road, setRoad, create, isPending, nameProblem, otherProblem, reset } = useNewZone(accountId)
  const domain = plainDomain(written)
  const zoneId = zoneOf(domain)

  function write(text: string) {
    reset()
    setWritten(text)
  }
  async function go(event: FormEvent) {
    event.preventDefault()
    if (domain === '') return
    await onChosen(zoneId ?? (await create(domain)).id)
  }

  return (
    // What was refused is shown by the form.
    <form className="flex max-w-2xl flex-col gap-6" onSubmit={(event) => void go(event).catch(() => {})}>
      <Input
        label="Domain"
        placeholder="example.com"
        description={description}
        value={written}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        // oxlint-disable-next-line jsx-a11y/no-autofocus -- the page is this question, and was asked for
        autoFocus
        required
        {...(nameProblem !== undefined && { error: nameProblem })}
        onChange={({ target }) => write(target.value)}
      />
      {zones.length > 0 && (
        <fieldset className="flex min-w-0 flex-wrap items-center gap-2">
          <legend className="mb-2 text-kumo-subtle">{zonesTitle}</legend>
          {zones.slice(0, MOST_SUGGESTED).map(({ id, name }) => (
            <Button key={id} size="sm" className="max-w-full" onClick={() => write(name)}>
              <span className="truncate">{name}</span>
            </Button>
          ))}
        </fieldset>
      )}
      {domain.includes('.') && zoneId === undefined && <DnsRoadChoice value={road} onChange={setRoad} />}
      {renderNote?.(domain)}
      {otherProblem !== undefined && <ProblemNote>{otherProblem}</ProblemNote>}
      <div>
        <Button type="submit" variant="primary" loading={isPending}>
          Review records
        </Button>
      </div>
    </form>
  )
}
