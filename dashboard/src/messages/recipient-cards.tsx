import { Button } from '@cloudflare/kumo/components/button'
import { useState } from 'react'
import type { QueueAction } from '#contract/operator.ts'
import { accountPath, ask } from '../api/ask.ts'
import { problemText } from '../api/problem.ts'
import { useSession } from '../api/session.ts'
import { useAct } from '../api/use-ask.ts'
import { causeText } from '../parts/cause-text.ts'
import { ConfirmDialog } from '../parts/confirm-dialog.tsx'
import { Moment } from '../parts/moment.tsx'
import { ProblemNote } from '../parts/problem-note.tsx'
import { visibleText } from '../parts/visible-text.ts'
import { DeliveryState } from './delivery-state.tsx'
import type { Recipient } from './recipients.ts'
import { messagePath } from './use-message.ts'

interface RecipientCardsProps {
  readonly accountId: string
  readonly messageId: string
  readonly recipients: readonly Recipient[]
  readonly isRouted: boolean
  /** The delivery that the timeline is narrowed to. */
  readonly chosen: string | undefined
  readonly onChoose: (delivery: string | undefined) => void
}

const FEW = 6

/** The recipients side by side, and what can still be done for each. */
export function RecipientCards(props: RecipientCardsProps) {
  const { recipients } = props
  const [all, setAll] = useState(false)
  const shown = all ? recipients : recipients.slice(0, FEW)
  return (
    <>
      <ul className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
        {shown.map((recipient) => (
          <RecipientCard key={recipient.id} recipient={recipient} {...props} />
        ))}
      </ul>
      {recipients.length > FEW && (
        <Button className="mt-4" onClick={() => setAll(!all)}>
          {all ? `Show the first ${FEW}` : `Show all ${recipients.length} recipients`}
        </Button>
      )}
    </>
  )
}

function RecipientCard(props: RecipientCardsProps & { readonly recipient: Recipient }) {
  const { recipient, recipients, isRouted, chosen, onChoose } = props
  const { id, to, state, attempts, nextAttemptAt, reply, cause, isOpen } = recipient
  const isChosen = chosen === id
  return (
    <li className="flex min-w-0 flex-col gap-2 rounded-lg border border-kumo-hairline p-4">
      <div className="flex flex-wrap items-start justify-between gap-2">
        <bdi className="min-w-0 font-medium">{visibleText(to)}</bdi>
        <DeliveryState state={state} isRouted={isRouted} />
      </div>
      <p className="text-sm text-kumo-subtle">
        {[
          ...(attempts > 0 ? [attempts === 1 ? '1 attempt' : `${attempts} attempts`] : []),
          // The state says it already.
          ...(cause === null || cause === 'cancelled' ? [] : [causeText(cause)]),
        ].join(' · ')}
        {nextAttemptAt !== null && (
          <>
            {' '}
            · next <Moment at={nextAttemptAt} ago />
          </>
        )}
      </p>
      {reply !== null && <p className="font-mono text-sm">{visibleText(reply)}</p>}
      <div className="mt-auto flex flex-wrap gap-2">
        {isOpen && <DeliveryActions {...props} />}
        {recipients.length > 1 && (
          <Button
            size="sm"
            variant="ghost"
            aria-pressed={isChosen}
            onClick={() => onChoose(isChosen ? undefined : id)}
          >
            {isChosen ? 'Show all events' : 'Only its events'}
          </Button>
        )}
      </div>
    </li>
  )
}

type Act = 'retry' | 'cancel' | 'hold' | 'release'

function DeliveryActions(props: RecipientCardsProps & { readonly recipient: Recipient }) {
  const { accountId, messageId, recipient } = props
  const { user } = useSession()
  const [isEnding, setEnding] = useState(false)
  const act = useAct(
    (action: Act) =>
      action === 'hold' || action === 'release'
        ? asOperator(action, recipient.id)
        : ask(accountPath(accountId, 'email/sending/deliveries', recipient.id, action), {
            ...{ method: 'POST', body: {} },
          }),
    [messagePath(accountId, messageId)],
  )
  const button = (action: Act, text: string) => (
    <Button size="sm" loading={act.isPending && act.variables === action} onClick={() => act.mutate(action)}>
      {text}
    </Button>
  )
  return (
    <>
      {recipient.state === 'waiting' && button('retry', 'Retry now')}
      {recipient.state === 'waiting' && user?.operator && button('hold', 'Hold')}
      {recipient.state === 'held' && user?.operator && button('release', 'Release')}
      {recipient.state !== 'claimed' && (
        <Button size="sm" variant="secondary-destructive" onClick={() => setEnding(true)}>
          Cancel delivery
        </Button>
      )}
      {act.isError && <ProblemNote className="w-full">{problemText(act.error)}</ProblemNote>}
      <ConfirmDialog
        open={isEnding}
        onOpenChange={setEnding}
        title={`Cancel the delivery to ${visibleText(recipient.to)}?`}
        action="Cancel delivery"
        onConfirm={() => act.mutateAsync('cancel')}
      >
        The recipient gets nothing, and nobody is told. This cannot be undone.
      </ConfirmDialog>
    </>
  )
}

/** What only whoever runs the service may do. */
function asOperator(action: QueueAction, id: string): Promise<unknown> {
  return ask(`/operator/v1/deliveries/${action}`, { method: 'POST', body: { ids: [id] } })
}
