import type { ActivityBody } from '#contract/activity.ts'

/** In place of the null sender (RFC 5321 §4.5.5). */
export const NO_SENDER = 'no sender (<>)'

/** What a line is called. Mail that was refused before it was sent is without a subject as far as anybody knows. */
export function subjectText({ subject, message_id: messageId }: ActivityBody): string {
  if (subject.trim() !== '') return subject
  return messageId === null ? '–' : '(no subject)'
}
