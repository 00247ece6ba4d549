import type { Refusal } from '#model/refusal.ts'

const MEBIBYTE = 1_048_576

/** The composed MIME in bytes (platform-limits.md). */
export const LARGEST_MESSAGE = { toAnyone: 5 * MEBIBYTE, toVerified: 25 * MEBIBYTE }

export function checkSize(bytes: number, limit: number): Refusal | undefined {
  if (bytes <= limit) return undefined
  const relief =
    limit === LARGEST_MESSAGE.toAnyone
      ? ', or 25 MiB when every recipient is a verified destination address'
      : ''
  const detail = `The message has ${mebibytes(bytes)}; ${mebibytes(limit)} is the most${relief}.`
  return { kind: 'message-too-large', detail }
}

function mebibytes(bytes: number): string {
  return `${(bytes / MEBIBYTE).toFixed(bytes % MEBIBYTE === 0 ? 0 : 2)} MiB`
}
