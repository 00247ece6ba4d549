import type { ReactNode } from 'react'

export type Fact = readonly [name: string, value: ReactNode]

/** What is known, each beside its name. */
export function Facts({ of }: { readonly of: readonly Fact[] }) {
  return (
    <dl className="mt-2 grid grid-cols-1 gap-x-6 gap-y-1 text-sm sm:grid-cols-[8rem_minmax(0,1fr)]">
      {of.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-kumo-subtle">{name}</dt>
          <dd className="max-sm:mb-1">{value}</dd>
        </div>
      ))}
    </dl>
  )
}
