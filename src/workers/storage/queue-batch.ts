/** How a Worker wrote the body; what is in it is the runtime's to know. */
export const CONTENT_TYPES = ['text', 'bytes', 'json', 'v8'] as const

export type QueueContentType = (typeof CONTENT_TYPES)[number]

export interface QueueMessageWish {
  readonly body: Uint8Array
  readonly contentType: QueueContentType
  /** Absent: as long as the queue says. */
  readonly delaySeconds?: number | undefined
}

/** Messages that a queue takes. */
export type QueueBatch = readonly QueueMessageWish[] & { readonly __brand: 'QueueBatch' }

export interface QueueFault {
  /** Which of them, where it is about one. */
  readonly index?: number
  readonly field?: 'body' | 'delay_seconds'
  readonly detail: string
}

const LARGEST_MESSAGE = 128_000
const MOST_MESSAGES = 100
const LARGEST_BATCH = 288_000
export const LONGEST_DELAY_S = 86_400

/** The one place that knows what a queue takes. */
export function readQueueBatch(wishes: readonly QueueMessageWish[]): QueueBatch | QueueFault {
  if (wishes.length === 0 || wishes.length > MOST_MESSAGES) {
    return { detail: `A batch has 1 to ${MOST_MESSAGES} messages; this one has ${wishes.length}.` }
  }
  let octets = 0
  for (const [index, { body, delaySeconds = 0 }] of wishes.entries()) {
    octets += body.length
    if (body.length > LARGEST_MESSAGE) {
      const detail = `A message may have ${LARGEST_MESSAGE} octets; this one has ${body.length}.`
      return { index, field: 'body', detail }
    }
    if (!Number.isSafeInteger(delaySeconds) || delaySeconds < 0 || delaySeconds > LONGEST_DELAY_S) {
      const detail = `A delay is a whole number of seconds from 0 to ${LONGEST_DELAY_S}.`
      return { index, field: 'delay_seconds', detail }
    }
  }
  if (octets > LARGEST_BATCH) {
    return { detail: `A batch may have ${LARGEST_BATCH} octets; this one has ${octets}.` }
  }
  return wishes as QueueBatch
}

export function isQueueFault(read: QueueBatch | QueueFault): read is QueueFault {
  return 'detail' in read
}
