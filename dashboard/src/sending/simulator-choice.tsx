import { Button } from '@cloudflare/kumo/components/button'
import { useSession } from '../api/session.ts'

const OUTCOMES = [
  ['delivered', 'Delivered'],
  ['bounce', 'Bounces'],
  ['softbounce', 'Put off, then delivered'],
  ['late-bounce', 'Bounces later'],
  ['complaint', 'Complains'],
] as const

/** Recipients whose fate is known before: of the simulator, which is there in production too. */
export function SimulatorChoice({ onChoose }: { readonly onChoose: (address: string) => void }) {
  const { service } = useSession()
  return (
    <fieldset className="flex flex-wrap items-center gap-2">
      <legend className="mb-2 text-sm text-kumo-subtle">
        Or a recipient of the simulator, which does what its name says
      </legend>
      {OUTCOMES.map(([name, label]) => (
        <Button
          key={name}
          size="sm"
          // Those that fail are suppressed like real ones: a label makes a fresh one.
          onClick={() =>
            onChoose(`${name}${label === 'Delivered' ? '' : freshLabel()}@simulator.${service.domain}`)
          }
        >
          {label}
        </Button>
      ))}
    </fieldset>
  )
}

function freshLabel(): string {
  return `+${crypto.getRandomValues(new Uint32Array(1))[0]?.toString(36)}`
}
