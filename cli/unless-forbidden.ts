import { ServerRefused } from './server-refused.ts'

/** What the token may not read stands as `not shown`. */
export async function unlessForbidden<Result>(asked: Promise<Result>): Promise<Result | 'not shown'> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof ServerRefused && error.status === 403) return 'not shown'
    throw error
  }
}
