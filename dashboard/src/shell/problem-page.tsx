import { Button, LinkButton } from '@cloudflare/kumo/components/button'
import { Empty } from '@cloudflare/kumo/components/empty'
import { CompassIcon, WarningIcon } from '@phosphor-icons/react'
import type { ErrorComponentProps } from '@tanstack/react-router'
import { problemText } from '../api/problem.ts'

/** What a page shows that could not be shown. */
export function ProblemPage({ error, reset }: ErrorComponentProps) {
  return (
    <div role="alert" className="p-6">
      <Empty
        icon={<WarningIcon size={48} />}
        title="This page could not be shown"
        description={problemText(error)}
        contents={<Button onClick={reset}>Try again</Button>}
      />
    </div>
  )
}

export function NotFoundPage() {
  return (
    <div className="p-6">
      <Empty
        icon={<CompassIcon size={48} />}
        title="There is no such page"
        description="The address may be mistyped, or what it showed is deleted, or you are not a member of its account."
        contents={
          <LinkButton variant="secondary" href="/">
            Go to the overview
          </LinkButton>
        }
      />
    </div>
  )
}
