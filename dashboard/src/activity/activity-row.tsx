import { memo } from 'react'
import type { ActivityBody } from '#contract/activity.ts'
import { causeText } from '../parts/cause-text.ts'
import { Moment } from '../parts/moment.tsx'
import { StatusBadge } from '../parts/status-badge.tsx'
import { visibleText } from '../parts/visible-text.ts'
import { AppLink } from '../shell/app-link.tsx'
import { NO_SENDER, subjectText } from './row-text.ts'

/** In pixels; the classes below have the same. */
export const ROW_HEIGHT = { wide: 44, narrow: 72 } as const

export const COLUMNS = 'grid-cols-[11.5rem_7.5rem_minmax(0,1fr)_minmax(0,1fr)_minmax(0,1.4fr)]'

interface ActivityRowProps {
  readonly row: ActivityBody
  readonly index: number
  /** Where it stands, in pixels from the first. */
  readonly start: number
  readonly isNarrow: boolean
  readonly accountId: string
  readonly onOpen: (id: string) => void
}

const PLACE = 'absolute inset-x-0 top-0 border-b border-kumo-hairline px-4 text-sm hover:bg-kumo-tint'

/** One event of one recipient: five cells, or two lines on a phone. */
export const ActivityRow = memo(function ActivityRow(props: ActivityRowProps) {
  const { row, index, start, isNarrow } = props
  const place = { transform: `translateY(${start}px)` }
  const status = row.status !== null && <StatusBadge status={row.status} direction={row.direction} />
  if (isNarrow) {
    return (
      <div role="row" aria-rowindex={index + 2} className={`${PLACE} h-[72px] py-2.5`} style={place}>
        <div className="flex h-6 items-center gap-3 text-kumo-subtle">
          <span role="cell">{status}</span>
          <span role="cell" className="min-w-0 flex-1 truncate">
            <bdi>{row.direction === 'routing' ? row.from || NO_SENDER : row.to}</bdi>
          </span>
          <span role="cell" className="shrink-0">
            <Moment at={row.at} ago />
          </span>
        </div>
        <div role="cell" className="mt-1 truncate text-base">
          <RowLink {...props} />
        </div>
      </div>
    )
  }
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className={`${PLACE} grid h-11 items-center gap-4 ${COLUMNS}`}
      style={place}
    >
      <span role="cell" className="tabular-nums">
        <Moment at={row.at} />
      </span>
      <span role="cell">{status}</span>
      <span role="cell" className="truncate" title={row.from}>
        <bdi>{row.from || NO_SENDER}</bdi>
      </span>
      <span role="cell" className="truncate" title={row.to}>
        <bdi>{row.to}</bdi>
      </span>
      <span role="cell" className="truncate" title={row.error ?? row.subject}>
        <RowLink {...props} />
      </span>
    </div>
  )
})

/** The subject, and with it the whole row, leads to the message. */
function RowLink({ row, accountId, onOpen }: ActivityRowProps) {
  const { id, message_id: messageId, cause, error } = row
  const stretched = 'text-kumo-default after:absolute after:inset-0 after:content-[""]'
  const why = cause === null ? error : causeText(cause)
  const text = <bdi>{subjectText(row)}</bdi>
  return (
    <>
      {messageId === null ? (
        <button type="button" className={`${stretched} cursor-pointer`} onClick={() => onOpen(id)}>
          {text}
        </button>
      ) : (
        <AppLink href={`/${accountId}/messages/${encodeURIComponent(messageId)}`} className={stretched}>
          {text}
        </AppLink>
      )}
      {why !== null && <span className="text-kumo-subtle"> · {visibleText(why)}</span>}
    </>
  )
}
