import { z } from 'zod'

/** Lists that clients walk page by page until one is empty (V4PagePagination). */
export const pageQuery = z.object({
  page: z.coerce.number('a page number, from 1 on').int().min(1).default(1),
  per_page: z.coerce.number('a number from 1 to 1000').int().min(1).max(1000).default(20),
})

/** Both names: clients of different ages read one or the other. */
export const resultInfo = z.object({
  page: z.number().int().optional(),
  per_page: z.number().int().optional(),
  count: z.number().int().optional(),
  total_count: z.number().int().optional(),
  total_pages: z.number().int().optional(),
  cursor: z.string().nullish(),
  next_cursor: z.string().nullish(),
})

export type ResultInfo = z.output<typeof resultInfo>

export interface Page {
  readonly page: number
  readonly per_page: number
}

/** What is told of a page of `count` entries out of `total`. */
export function pageInfo({ page, per_page }: Page, count: number, total: number): ResultInfo {
  return { page, per_page, count, total_count: total, total_pages: Math.ceil(total / per_page) }
}
