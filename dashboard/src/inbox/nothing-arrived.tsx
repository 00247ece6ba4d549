import { LinkButton } from '@cloudflare/kumo/components/button'
import { Empty } from '@cloudflare/kumo/components/empty'
import { TrayIcon } from '@phosphor-icons/react'
import { useAccount } from '../shell/use-account.ts'

export function NothingArrived({ isSearch }: { readonly isSearch: boolean }) {
  const { id } = useAccount()
  if (isSearch) {
    return (
      <Empty
        icon={<TrayIcon size={48} />}
        title="No message matches"
        description="Search for other words, or empty the field to see everything."
      />
    )
  }
  return (
    <Empty
      icon={<TrayIcon size={48} />}
      title="No mail has arrived yet"
      description="Send some: by the API, over SMTP, or with the form."
      contents={
        <LinkButton variant="primary" href={`/${id}/sending/test`}>
          Send a test
        </LinkButton>
      }
    />
  )
}
