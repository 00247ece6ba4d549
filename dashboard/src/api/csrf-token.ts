import type { SessionBody } from '#contract/session.ts'

/** What every request that changes something carries beside the cookie; of the session that was last read. */
let current = ''
let holder: string | undefined

export function csrfToken(): string {
  return current
}

export function keepCsrfToken({ csrf_token: token, user }: SessionBody): void {
  current = token ?? ''
  holder = user?.id
}

/** Reads it again: who signs in anew in another tab has another session in this one, too. Out: whether the same person
 *  has another token now. What somebody began, nobody else goes on with. */
export async function renewCsrfToken(): Promise<boolean> {
  const response = await fetch('/session/v1', { credentials: 'same-origin' })
  const { result } = (await response.json()) as { readonly result: SessionBody | null }
  if (!result?.user || result.user.id !== holder || result.csrf_token === current) return false
  keepCsrfToken(result)
  return true
}
