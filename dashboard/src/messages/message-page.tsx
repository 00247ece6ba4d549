import { Button, LinkButton } from '@cloudflare/kumo/components/button'
import { Empty } from '@cloudflare/kumo/components/empty'
import { Tabs } from '@cloudflare/kumo/components/tabs'
import { EnvelopeSimpleIcon } from '@phosphor-icons/react'
import { useEffect, useRef } from 'react'
import type { TimelineEvent } from '#contract/messages.ts'
import { Problem } from '../api/problem.ts'
import { Asked } from '../parts/asked.tsx'
import { CopyButton } from '../parts/copy-button.tsx'
import { Moment } from '../parts/moment.tsx'
import { Page, Section } from '../parts/page.tsx'
import { SectionEmpty } from '../parts/section-empty.tsx'
import { visibleText } from '../parts/visible-text.ts'
import { ContentTab } from './content-tabs.tsx'
import { type Fact, Facts } from './facts.tsx'
import { RecipientCards } from './recipient-cards.tsx'
import { recipientsIn, recipientsOf } from './recipients.ts'
import { MESSAGE_TABS, type MessageSearch, messageRoute } from './routes.ts'
import { TimelineList } from './timeline-list.tsx'
import { isUnderWay, useDeliveries, useTimeline } from './use-message.ts'

const LABELS = {
  timeline: 'Timeline',
  preview: 'Preview',
  source: 'Source',
  headers: 'Headers',
  attachments: 'Attachments',
} as const
// The library's own grey is too faint on the ground of its tabs (WCAG 1.4.3).
const TABS = MESSAGE_TABS.map((value) => ({ value, label: LABELS[value], className: 'text-kumo-default' }))

/** One message, sent or received: what became of it for each recipient, how, and what it holds. */
export function MessagePage() {
  const { accountId, messageId } = messageRoute.useParams()
  const timeline = useTimeline(accountId, messageId)
  if (timeline.error instanceof Problem && timeline.error.status === 404 && !timeline.data)
    return <NoMessage />
  return (
    // A subject may be as long as several screens of a phone; the headers have all of it.
    <div className="[&_h1]:line-clamp-3">
      <Asked of={timeline}>
        {({ pages }) => (
          <Message
            messageId={pages[0]?.result.message_id ?? messageId}
            events={pages.flatMap(({ result }) => result.events)}
            more={timeline.hasNextPage ? () => void timeline.fetchNextPage() : undefined}
          />
        )}
      </Asked>
    </div>
  )
}

interface MessageProps {
  readonly messageId: string
  readonly events: readonly TimelineEvent[]
  /** Reads on; undefined at the end. */
  readonly more: (() => void) | undefined
}

function Message({ messageId, events, more }: MessageProps) {
  const { accountId, messageId: asked } = messageRoute.useParams()
  const { tab = 'timeline', delivery } = messageRoute.useSearch()
  const navigate = messageRoute.useNavigate()
  const deliveries = useDeliveries(accountId, asked, isUnderWay(events))
  const tabs = useRef<HTMLDivElement>(null)
  // On a phone the row of tabs is longer than the window.
  // oxlint-disable-next-line react/exhaustive-deps -- whenever it changes
  useEffect(() => {
    tabs.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' })
  }, [tab])
  const [first] = events
  const isRouted = events.some(({ routing }) => routing !== undefined)
  const subject = deliveries.data?.subject ?? first?.subject ?? ''
  const recipients = deliveries.data ? recipientsOf(deliveries.data.deliveries) : recipientsIn(events)
  const shown = events.filter(
    ({ delivery_id: id }) => delivery === undefined || id === null || id === delivery,
  )

  function change(change: MessageSearch) {
    void navigate({ search: change, replace: true, resetScroll: false })
  }

  return (
    <Page
      title={subject === '' ? '(no subject)' : visibleText(subject)}
      lead={isRouted ? 'An email that came in.' : 'An email that was sent.'}
      actions={
        <LinkButton variant="secondary" href={`/${accountId}/${isRouted ? 'routing' : 'sending'}/activity`}>
          Back to the activity log
        </LinkButton>
      }
    >
      <Section title="Message">
        <Facts of={factsOf({ messageId, events, size: deliveries.data?.size })} />
      </Section>
      <Section title={recipients.length === 1 ? 'Recipient' : `Recipients (${recipients.length})`}>
        <RecipientCards
          accountId={accountId}
          messageId={asked}
          recipients={recipients}
          isRouted={isRouted}
          chosen={delivery}
          onChoose={(id) =>
            change({ ...(tab !== 'timeline' && { tab }), ...(id !== undefined && { delivery: id }) })
          }
        />
      </Section>
      <div ref={tabs} className="mb-4 overflow-x-auto">
        <Tabs
          tabs={TABS}
          value={tab}
          onValueChange={(value) => {
            const chosen = MESSAGE_TABS.find((one) => one === value)
            change({
              ...(chosen !== undefined && chosen !== 'timeline' && { tab: chosen }),
              ...(delivery !== undefined && { delivery }),
            })
          }}
        />
      </div>
      <Section title={LABELS[tab]}>
        {tab === 'timeline' ? (
          <>
            <TimelineList accountId={accountId} events={shown} />
            {more && <Button onClick={more}>Show later events</Button>}
          </>
        ) : deliveries.data === null ? (
          <NotKept />
        ) : (
          <ContentTab key={tab} tab={tab} accountId={accountId} messageId={asked} />
        )}
      </Section>
    </Page>
  )
}

function factsOf({
  messageId,
  events,
  size,
}: {
  readonly messageId: string
  readonly events: readonly TimelineEvent[]
  readonly size: number | undefined
}): readonly Fact[] {
  const [first] = events
  const sender = first?.sender ?? ''
  const header = events.find((event) => event.header_message_id !== undefined)?.header_message_id
  const octets = size ?? first?.size
  return [
    ['From', <bdi key="from">{sender === '' ? 'no sender (<>)' : visibleText(sender)}</bdi>],
    [
      header === undefined ? 'Message ID' : 'ID',
      <Copied key="id" text={messageId} what="the message’s ID" />,
    ],
    ...(header === undefined ? [] : [['Message ID', visibleText(header)] as const]),
    ...(first
      ? [[header === undefined ? 'Accepted' : 'Received', <Moment key="at" at={first.at} />] as const]
      : []),
    ...(octets ? [['Size', `${octets.toLocaleString()} bytes`] as const] : []),
  ]
}

function Copied({ text, what }: { readonly text: string; readonly what: string }) {
  return (
    <span className="flex items-center gap-1 sm:-my-1.5">
      <code className="min-w-0">{text}</code>
      <CopyButton text={text} what={what} />
    </span>
  )
}

/** Of mail that came in. */
function NotKept() {
  return (
    <SectionEmpty
      icon={<EnvelopeSimpleIcon size={48} className="text-kumo-inactive" />}
      title="The content of mail that came in is not kept"
      description="It is passed on to the destination address or to the Worker, and only what happened to it stays here."
    />
  )
}

function NoMessage() {
  return (
    <Page title="No such message">
      <Empty
        icon={<EnvelopeSimpleIcon size={48} className="text-kumo-inactive" />}
        title="There is no such message in this account"
        description="Its address may be wrong, or what happened to it is no longer kept."
      />
    </Page>
  )
}
