import { useElementScrollRestoration } from '@tanstack/react-router'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useLayoutEffect, useRef } from 'react'
import type { ActivityBody } from '#contract/activity.ts'
import { useIsNarrow } from '../parts/use-is-narrow.ts'
import { ActivityRow, COLUMNS, ROW_HEIGHT } from './activity-row.tsx'

interface ActivityListProps {
  readonly rows: readonly ActivityBody[]
  readonly accountId: string
  /** What stands below the last row. */
  readonly end: string
  /** The last rows are near. */
  readonly onEnd: () => void
  /** Shows a line whole that has no message. */
  readonly onOpen: (id: string) => void
}

const SCROLLED = 'activity'
/** Read on before the end comes into view. */
const AHEAD = 60

/** Rows of which only those in view are in the page, so that there may be any number. */
export function ActivityList({ rows, accountId, end, onEnd, onOpen }: ActivityListProps) {
  const isNarrow = useIsNarrow()
  const height = isNarrow ? ROW_HEIGHT.narrow : ROW_HEIGHT.wide
  const scrolled = useRef<HTMLDivElement>(null)
  const restored = useElementScrollRestoration({ id: SCROLLED })
  // oxlint-disable-next-line react/incompatible-library -- the list is drawn anew as it scrolls, which is the purpose
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scrolled.current,
    estimateSize: () => height,
    getItemKey: (index) => rows[index]?.id ?? index,
    initialOffset: restored?.scrollY ?? 0,
    overscan: 10,
  })
  useEffect(() => virtual.measure(), [virtual, height])
  useStaysInPlace(rows, scrolled, height)

  const items = virtual.getVirtualItems()
  const last = items.at(-1)?.index ?? 0
  const isNear = rows.length > 0 && last >= rows.length - AHEAD
  useEffect(() => {
    if (isNear) onEnd()
  }, [isNear, onEnd])

  return (
    <div
      ref={scrolled}
      data-scroll-restoration-id={SCROLLED}
      role="region"
      aria-label="The log"
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by keyboard
      tabIndex={0}
      className="max-h-[max(24rem,calc(100dvh-17rem))] overflow-y-auto overscroll-contain rounded-xl border border-kumo-hairline bg-kumo-base [overflow-anchor:none]"
    >
      <div role="table" aria-label="Activity" aria-rowcount={rows.length + 1}>
        <div
          role="rowgroup"
          className="sticky top-0 z-10 border-b border-kumo-hairline bg-kumo-base max-md:sr-only"
        >
          <div role="row" className={`grid h-10 items-center gap-4 px-4 text-sm font-medium ${COLUMNS}`}>
            {['Time', 'Status', 'From', 'To', 'Subject'].map((name) => (
              <span key={name} role="columnheader">
                {name}
              </span>
            ))}
          </div>
        </div>
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
          {items.map(({ index, key, start }) => {
            const row = rows[index]
            return (
              row && (
                <ActivityRow
                  key={key}
                  row={row}
                  index={index}
                  start={start}
                  isNarrow={isNarrow}
                  accountId={accountId}
                  onOpen={onOpen}
                />
              )
            )
          })}
        </div>
      </div>
      <p role="status" className="p-4 text-center text-sm text-kumo-subtle">
        {end}
      </p>
    </div>
  )
}

/** Who reads further down keeps their place while rows are added on top. */
function useStaysInPlace(
  rows: readonly ActivityBody[],
  scrolled: { readonly current: HTMLDivElement | null },
  height: number,
): void {
  const top = useRef<string>(undefined)
  useLayoutEffect(() => {
    const before = top.current
    top.current = rows[0]?.id
    const element = scrolled.current
    if (before === undefined || before === top.current || !element || element.scrollTop < height) return
    const added = rows.findIndex(({ id }) => id === before)
    if (added > 0) element.scrollBy({ top: added * height, behavior: 'instant' })
  }, [rows, scrolled, height])
}
