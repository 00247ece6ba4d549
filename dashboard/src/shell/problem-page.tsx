import { Button, LinkButton } from '@cloudflare/kumo/components/button'
import { Empty } from '@cloudflare/kumo/components/empty'
import { CompassIcon, WarningIcon } from '@phosphor-icons/react'
import type { ErrorComponentProps } from '@tanstack/react-router'
import { type ReactNode, useEffect, useState } from 'react'
import { request } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { useReachable } from '../api/reachable.ts'
import { Page } from '../parts/page.tsx'
import { PageNotFetched } from './lazy-page.ts'

/** What a page shows that could not be shown. */
export function ProblemPage({ error, reset }: ErrorComponentProps) {
  return (
    <Page title="This page could not be shown">
      {error instanceof PageNotFetched ? (
        <NotFetched error={error} onFetched={reset} />
      ) : (
        <Trouble text={problemText(error)}>
          <Button onClick={reset}>Try again</Button>
        </Trouble>
      )}
    </Page>
  )
}

/** Goes on by itself once the server is there again. */
function NotFetched({
  error,
  onFetched,
}: {
  readonly error: PageNotFetched
  readonly onFetched: () => void
}) {
  const isReachable = useReachable()
  const [isTrying, setTrying] = useState(false)
  useEffect(() => {
    if (isReachable) void error.fetchAgain().then((isFetched) => isFetched && onFetched())
  }, [isReachable, error, onFetched])

  async function tryAgain() {
    setTrying(true)
    if (await error.fetchAgain()) onFetched()
    // A server that answers without having this page is another version of it, with another dashboard.
    else if (await isAnswering()) window.location.reload()
    setTrying(false)
  }

  return (
    <Trouble text={error.message}>
      <Button loading={isTrying} onClick={() => void tryAgain()}>
        Try again
      </Button>
    </Trouble>
  )
}

async function isAnswering(): Promise<boolean> {
  try {
    return (await request('/session/v1')).ok
  } catch {
    return false
  }
}

function Trouble({ text, children }: { readonly text: string; readonly children: ReactNode }) {
  return (
    <div role="alert">
      <Empty icon={<WarningIcon size={48} />} title={text} contents={children} />
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
