import { Button } from '@cloudflare/kumo/components/button'
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { problemText } from '../api/problem.ts'
import { ProblemNote } from './problem-note.tsx'
import { RowsSkeleton } from './rows-skeleton.tsx'

interface AskedProps<R> {
  readonly of: UseQueryResult<R>
  /** Shown meanwhile; rows by default. */
  readonly skeleton?: ReactNode
  readonly children: (answer: R) => ReactNode
}

/** What a question's answer is shown by: a skeleton until it comes, what is wrong if it does not. An answer that is
 *  there stays while it is asked for anew. */
export function Asked<R>({
  of: { data, error, refetch },
  skeleton = <RowsSkeleton />,
  children,
}: AskedProps<R>) {
  if (data !== undefined) return children(data)
  if (!error) return skeleton
  return (
    <ProblemNote>
      <span className="flex flex-wrap items-center gap-3">
        {problemText(error)}
        <Button size="sm" onClick={() => void refetch()}>
          Try again
        </Button>
      </span>
    </ProblemNote>
  )
}
