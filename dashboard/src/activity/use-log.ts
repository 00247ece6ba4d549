import { type InfiniteData, useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { ActivityBody } from '#contract/activity.ts'
import { type Answered, askWhole } from '../api/ask.ts'
import { type Log, logPath, nextPath } from './filters.ts'

/** Soon there, and then few requests however long the log is. */
const FIRST_PAGE = 100
const NEXT_PAGE = 500
const LIVE_MS = 2000

interface LogPage {
  readonly rows: readonly ActivityBody[]
  readonly next: string | undefined
}

type Pages = InfiniteData<LogPage, string | undefined>

/** The log, the newest first, as far as it was read; `live` has what is new appear on top. */
export function useLog(log: Log, live: boolean) {
  const client = useQueryClient()
  const path = logPath(log)
  const key = ['activity', path]
  // What somebody comes back to is there at once, as far as they had read; what is new since is asked for.
  const [wasThere] = useState(() => client.getQueryData(key) !== undefined)

  const pages = useInfiniteQuery({
    queryKey: key,
    queryFn: async ({ pageParam, signal }): Promise<LogPage> =>
      pageOf(
        await askWhole<ActivityBody[]>(
          pageParam === undefined
            ? logPath(log, { per_page: FIRST_PAGE })
            : nextPath(log, pageParam, NEXT_PAGE),
          { signal },
        ),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ next }) => next,
    // To compare what was read with what is read, and to read all of it again, takes long where it is long.
    structuralSharing: false,
    staleTime: Number.POSITIVE_INFINITY,
  })

  const newest = useQuery({
    queryKey: [...key, 'newest'],
    queryFn: async ({ signal }) => {
      const { rows } = pageOf(
        await askWhole<ActivityBody[]>(logPath(log, { per_page: FIRST_PAGE }), { signal }),
      )
      const before = client.getQueryData<Pages>(key)
      if (!before) return rows.length
      const after = withNewest(before, rows)
      if (after) client.setQueryData<Pages>(key, after)
      else await client.resetQueries({ queryKey: key, exact: true })
      return rows.length
    },
    enabled: pages.isSuccess && (live || wasThere),
    refetchInterval: live && LIVE_MS,
    staleTime: 0,
    gcTime: 0,
  })
  return { pages, refresh: () => void newest.refetch() }
}

function pageOf({ result, info }: Answered<ActivityBody[]>): LogPage {
  return { rows: result, next: info?.next_cursor ?? undefined }
}

/** What was read with the newest rows on top; undefined where there is a gap between the two. */
function withNewest(before: Pages, newest: readonly ActivityBody[]): Pages | undefined {
  const [first, ...others] = before.pages
  if (!first || newest.length === 0) return before
  const known = new Set(first.rows.map(({ id }) => id))
  const fresh = newest.filter(({ id }) => !known.has(id))
  if (fresh.length === newest.length && first.rows.length > 0) return undefined
  const changed = new Map(newest.map((row) => [row.id, row]))
  const isSame = (row: ActivityBody) => {
    const now = changed.get(row.id)
    return now === undefined || now.is_last_event === row.is_last_event
  }
  if (fresh.length === 0 && first.rows.every(isSame)) return before
  const rows = [...newest, ...first.rows.filter(({ id }) => !changed.has(id))]
  return { ...before, pages: [{ ...first, rows }, ...others] }
}
