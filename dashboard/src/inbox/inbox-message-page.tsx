import { Button, LinkButton } from '@cloudflare/kumo/components/button'
import { Empty } from '@cloudflare/kumo/components/empty'
import { Link } from '@cloudflare/kumo/components/link'
import { Tabs } from '@cloudflare/kumo/components/tabs'
import { EnvelopeSimpleIcon } from '@phosphor-icons/react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import { askPlain } from '../api/ask.ts'
import { Problem } from '../api/problem.ts'
import { Asked } from '../parts/asked.tsx'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Moment } from '../parts/moment.tsx'
import { Page } from '../parts/page.tsx'
import { useAccount } from '../shell/use-account.ts'
import { INBOX, type InboxMessage, mailboxText } from './inbox-message.ts'
import { InboxMessageTab } from './inbox-message-tab.tsx'
import { MessageLinks } from './message-links.tsx'
import type { InboxTab } from './routes.ts'

const route = getRouteApi('/signed-in/inbox/$id')

/** One message as its recipient has it. */
export function InboxMessagePage() {
  const { id } = route.useParams()
  const message = useQuery({
    queryKey: ['inbox', 'message', id],
    queryFn: ({ signal }) => askPlain<InboxMessage>(`${INBOX}/message/${encodeURIComponent(id)}`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  })
  if (message.error instanceof Problem && message.error.status === 404) return <NoMessage />
  return (
    // A subject may be as long as several screens of a phone; the headers have all of it.
    <div className="[&_h1]:line-clamp-3">
      <Asked of={message}>{(message) => <Message message={message} />}</Asked>
    </div>
  )
}

function NoMessage() {
  return (
    <Page title="No such message">
      <Empty
        icon={<EnvelopeSimpleIcon size={48} className="text-kumo-inactive" />}
        title="There is no such message in the inbox"
        description="Its address may be wrong, or it has been deleted since."
        contents={
          <LinkButton variant="secondary" href="/inbox">
            Back to the inbox
          </LinkButton>
        }
      />
    </Page>
  )
}

function Message({ message }: { readonly message: InboxMessage }) {
  const account = useAccount()
  const { tab } = route.useSearch()
  const navigate = route.useNavigate()
  const client = useQueryClient()
  const [isDeleting, setDeleting] = useState(false)
  const shown: InboxTab = tab ?? (message.HTML === '' ? 'text' : 'html')

  async function remove() {
    await askPlain(`${INBOX}/messages`, { method: 'DELETE', body: { IDs: [message.ID] } })
    await client.invalidateQueries({ queryKey: ['inbox', 'list'] })
    await navigate({ to: '/inbox' })
  }

  return (
    <Page
      title={message.Subject || '(no subject)'}
      actions={
        <>
          <Button onClick={() => void navigate({ to: '/inbox' })}>Back to the inbox</Button>
          <Button variant="secondary-destructive" onClick={() => setDeleting(true)}>
            Delete
          </Button>
        </>
      }
    >
      <dl className="mb-6 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1 rounded-xl border border-kumo-hairline bg-kumo-base p-4">
        <Field name="From">{mailboxText(message.From)}</Field>
        <Field name="To">{message.To.map(mailboxText).join(', ')}</Field>
        {message.Cc.length > 0 && <Field name="Cc">{message.Cc.map(mailboxText).join(', ')}</Field>}
        {message.ReplyTo.length > 0 && (
          <Field name="Reply-To">{message.ReplyTo.map(mailboxText).join(', ')}</Field>
        )}
        <Field name="Envelope">
          {message.Envelope.From || 'no sender (<>)'} to {message.Envelope.To.join(', ')}
        </Field>
        <Field name="Date">
          <Moment at={message.Date} />
        </Field>
        {message.MessageID !== '' && (
          <Field name="Message-ID">
            <code className="font-mono text-sm">{message.MessageID}</code>{' '}
            <Link
              className="whitespace-nowrap"
              href={`/${account.id}/messages/${encodeURIComponent(`<${message.MessageID}>`)}`}
            >
              What happened to it
            </Link>
          </Field>
        )}
      </dl>
      <Tabs
        className="mb-4"
        value={shown}
        onValueChange={(tab) => void navigate({ search: { tab: tab as InboxTab }, replace: true })}
        tabs={[
          { value: 'html', label: 'HTML' },
          { value: 'text', label: 'Text' },
          { value: 'headers', label: 'Headers' },
          { value: 'source', label: 'Source' },
          { value: 'attachments', label: `Attachments (${message.Attachments.length})` },
        ]}
      />
      <InboxMessageTab tab={shown} message={message} />
      {(shown === 'html' || shown === 'text') && (
        <div className="mt-6">
          <MessageLinks html={message.HTML} text={message.Text} />
        </div>
      )}
      <ConfirmDialog
        open={isDeleting}
        onOpenChange={setDeleting}
        title="Delete this message?"
        action="Delete"
        onConfirm={remove}
      >
        It is gone from the inbox for good. The activity log keeps what happened to it.
      </ConfirmDialog>
    </Page>
  )
}

function Field({ name, children }: { readonly name: string; readonly children: React.ReactNode }) {
  return (
    <>
      <dt className="text-kumo-subtle">{name}</dt>
      <dd className="min-w-0">{children}</dd>
    </>
  )
}
