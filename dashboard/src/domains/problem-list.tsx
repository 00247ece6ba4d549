import type { RecordErrorBody } from '#contract/onboarding-records.ts'
import { ProblemNote } from '../parts/problem-note.tsx'
import { recordProblems } from './record-problems.ts'

/** What of a domain's records its owner has to mend. */
export function ProblemList({ errors }: { readonly errors: readonly RecordErrorBody[] }) {
  const problems = recordProblems(errors)
  if (problems.length === 0) return null
  return (
    <ProblemNote className="mb-4">
      <ul className="flex flex-col gap-2">
        {problems.map((problem) => (
          <li key={problem} className="break-words">
            {problem}
          </li>
        ))}
      </ul>
    </ProblemNote>
  )
}
