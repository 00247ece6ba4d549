import { Section } from '../parts/page.tsx'
import { REASONS } from './suppression-reasons.ts'

/** What each word in the list means. */
export function SuppressionReasons() {
  return (
    <Section title="What the reasons mean">
      <dl className="grid gap-x-6 gap-y-3 md:grid-cols-[10rem_minmax(0,1fr)]">
        {Object.values(REASONS).map(({ label, explanation }) => (
          <div key={label} className="md:contents">
            <dt className="font-medium">{label}</dt>
            <dd className="max-w-prose text-kumo-subtle">{explanation}</dd>
          </div>
        ))}
      </dl>
    </Section>
  )
}
