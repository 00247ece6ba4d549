import type { Reply } from '#smtp/reply.ts'

/** There is no room for a content now. RFC 3463 §3.4: X.3.1, the mail system is full; RFC 5321 §4.2.3: 452. */
export const SPOOL_FULL: Reply = {
  code: 452,
  enhanced: '4.3.1',
  text: 'Too much mail is arriving at once, try again later',
}
