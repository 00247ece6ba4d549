import { z } from 'zod'

/** Lists that clients walk page by page until one is empty (V4PagePagination). */
export const pageQuery = z.object({
  page: z.coerce.number('a page number, from 1 on').int().min(1).default(1),
  per_page: z.coerce.number('a number from 1 to 1000').int().min(1).max(1000).default(20),
})

/** Both names: clients of different ages read one or the other. */
export const resultInfo = z
  .object({
    page: z.number().int().optional(),
    per_page: z.number().int().optional(),
    count: z.number().int().optional(),
    total_count: z.number().int().optional(),
    total_pages: z.number().int().optional(),
    cursor: z.string().nullish(),
    next_cursor: z.string().nullish(),
  })
  .meta({ id: 'PageInfo' })

export type ResultInfo = z.output<typeof resultInfo>

/** Lists that go on where the page before ended. Some clients read `cursor`, others `next_cursor`; both are null at the
 *  end. */
export const cursorInfo = z
  .object({
    count: z.number().int(),
    per_page: z.number().int(),
    cursor: z.string().nullable(),
    next_cursor: z.string().nullable(),
  })
  .meta({ id: 'CursorInfo' })

export type CursorInfo = z.output<typeof cursorInfo>

/** Their query, apart from the filters. */
export const cursorQuery = z.object({
  per_page: z.int().min(1).max(1000).default(100),
  cursor: z.string().describe('From the page before; without it the list starts anew').optional(),
})

export interface Page {
  readonly page: number
  readonly per_page: number
}

/** What is told of a page of `count` entries out of `total`. */
export function pageInfo({ page, per_page }: Page, count: number, total: number): ResultInfo {
  return { page, per_page, count, total_count: total, total_pages: Math.ceil(total / per_page) }
}
