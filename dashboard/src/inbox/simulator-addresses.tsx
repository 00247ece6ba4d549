import { useSession } from '../api/session.ts'
import { CopyButton } from '../parts/copy-button.tsx'

const ADDRESSES = [
  ['delivered', 'is delivered'],
  ['bounce', 'bounces: 550 5.1.1, no such mailbox; the address is suppressed'],
  ['softbounce', 'is put off twice (451), then delivered'],
  ['deferred', 'is put off (451) until it expires'],
  ['full', 'mailbox full: 452 4.2.2'],
  ['policy', 'is refused for what it is: 550 5.7.1; nothing is suppressed'],
  ['slow', 'is delivered, slowly'],
  ['late-bounce', 'is delivered, then a bounce comes back by mail'],
  ['complaint', 'is delivered, then the recipient complains'],
  ['suppressed', 'is on the suppression list already'],
  ['disconnect', 'hangs up in the middle'],
] as const

/** Recipients that behave as told, so that one can see what happens then. */
export function SimulatorAddresses() {
  const { service } = useSession()
  return (
    <details className="mb-6 rounded-xl border border-kumo-hairline bg-kumo-base p-4">
      <summary className="cursor-pointer font-semibold">Recipients that misbehave on purpose</summary>
      <p className="mt-3 max-w-prose text-kumo-subtle">
        Mail to these addresses takes the whole way, with every event. Put anything behind a plus, such as{' '}
        <code className="font-mono text-sm">bounce+1@simulator.{service.domain}</code>, to have a fresh one.
      </p>
      <dl className="mt-3 grid gap-x-6 gap-y-1 md:grid-cols-[auto_1fr]">
        {ADDRESSES.map(([name, what]) => {
          const address = `${name}@simulator.${service.domain}`
          return (
            <div key={name} className="contents">
              <dt className="flex items-center gap-1">
                <code className="font-mono text-sm">{address}</code>
                <CopyButton text={address} what={address} />
              </dt>
              <dd className="self-center text-kumo-subtle">{what}</dd>
            </div>
          )
        })}
      </dl>
    </details>
  )
}
