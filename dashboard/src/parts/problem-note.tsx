import { Banner } from '@cloudflare/kumo/components/banner'
import { WarningIcon } from '@phosphor-icons/react'
import type { ReactNode } from 'react'

interface ProblemNoteProps {
  readonly children: ReactNode
  readonly className?: string
}

/** What went wrong, where it went wrong; read out as it appears. */
export function ProblemNote({ children, className }: ProblemNoteProps) {
  return (
    <div role="alert" className={className}>
      <Banner variant="error" icon={<WarningIcon weight="fill" />}>
        {children}
      </Banner>
    </div>
  )
}
