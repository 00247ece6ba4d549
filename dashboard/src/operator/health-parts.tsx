import { Badge } from '@cloudflare/kumo/components/badge'
import { useQuery } from '@tanstack/react-query'
import { Problem } from '../api/problem.ts'
import { Asked } from '../parts/asked.tsx'
import { Section } from '../parts/page.tsx'
import { healthCheck } from './health-checks.ts'

interface PartHealth {
  readonly part: string
  readonly ready: boolean
  /** What is wrong. */
  readonly detail?: string
  /** What is wrong with a part that mail can do without. */
  readonly warning?: string
}

/** Each part of the service, and what to do about what is wrong: the same that a load balancer asks, which tells more to an
 *  operator. */
export function HealthParts() {
  const readiness = useQuery({ queryKey: ['readyz'], queryFn: askReadiness, refetchInterval: 5000 })
  return (
    <Section title="Parts">
      <Asked of={readiness}>
        {({ parts }) => (
          <ul className="divide-y divide-kumo-hairline">
            {parts.map((health) => (
              <Part key={health.part} health={health} />
            ))}
          </ul>
        )}
      </Asked>
    </Section>
  )
}

async function askReadiness({
  signal,
}: {
  readonly signal: AbortSignal
}): Promise<{ readonly ready: boolean; readonly parts: readonly PartHealth[] }> {
  try {
    // Not ready is 503, and an answer all the same.
    return await (await fetch('/readyz', { signal, credentials: 'same-origin' })).json()
  } catch (error) {
    if (signal.aborted) throw error
    throw new Problem(0, [], 'The server did not answer. Is it running?')
  }
}

function Part({ health: { part, ready, detail, warning } }: { readonly health: PartHealth }) {
  const { title, about, remedy } = healthCheck(part)
  const wrong = detail ?? warning
  const isWell = ready && warning === undefined
  return (
    <li className="grid gap-x-6 gap-y-1 py-3 first:pt-0 last:pb-0 sm:grid-cols-[12rem_minmax(0,1fr)]">
      <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 sm:block">
        <h3 className="font-medium">{title}</h3>
        {ready ? (
          <Badge
            variant={isWell ? 'success' : 'warning'}
            className={isWell ? 'sm:mt-1' : 'text-kumo-default sm:mt-1'}
          >
            {isWell ? 'Ready' : 'Warning'}
          </Badge>
        ) : (
          <Badge variant="error" className="sm:mt-1">
            Not ready
          </Badge>
        )}
      </div>
      <div className="min-w-0">
        <p className="text-kumo-subtle">{about}</p>
        {wrong !== undefined && <p className="mt-1 font-mono text-sm">{wrong}</p>}
        {!isWell && (
          <p className="mt-1">
            <strong className="font-semibold">What to do:</strong> {remedy}
          </p>
        )}
      </div>
    </li>
  )
}
