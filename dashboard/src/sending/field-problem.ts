import { Problem } from '../api/problem.ts'

/** What is wrong with a field of the request, or with something in it: `/to/0` is about `to`. */
export function fieldProblem(error: unknown, field: string): string | undefined {
  if (!(error instanceof Problem)) return undefined
  const pointer = error.errors
    .map(({ source }) => source?.pointer)
    .find((pointer) => pointer === `/${field}` || pointer?.startsWith(`/${field}/`))
  return pointer === undefined ? undefined : error.at(pointer)
}
