import { EyeSlashIcon } from '@phosphor-icons/react'
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Problem } from '../api/problem.ts'
import { Asked } from '../parts/asked.tsx'
import { SectionEmpty } from '../parts/section-empty.tsx'

interface KeptProps<R> {
  readonly of: UseQueryResult<R>
  readonly children: (answer: R) => ReactNode
}

/** What the content of a message is shown by, or why there is none any more. */
export function Kept<R>({ of, children }: KeptProps<R>) {
  const { error } = of
  if (!(error instanceof Problem && error.status === 404)) return <Asked of={of}>{children}</Asked>
  return (
    <SectionEmpty
      icon={<EyeSlashIcon size={48} className="text-kumo-inactive" />}
      title="The content of this message is not here"
      description={`${error.message} What happened to it stays in the timeline.`}
    />
  )
}
