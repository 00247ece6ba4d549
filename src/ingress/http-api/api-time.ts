/** Milliseconds as the original's control plane writes times: RFC 3339 in UTC with six digits of a second. */
export function apiTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}
