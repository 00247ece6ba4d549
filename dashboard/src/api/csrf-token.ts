/** What every request that changes something carries beside the cookie; of the session that was last read. */
let current = ''

export function csrfToken(): string {
  return current
}

export function keepCsrfToken(token: string | null): void {
  current = token ?? ''
}
