import type { SmtpAnswer } from '#model/smtp-answer.ts'
import { LOOP_FIELD, loopMark } from '#outbound/compose/loop-mark.ts'
import { fieldText } from '#protocol/header-block.ts'
import type { Incoming } from './incoming.ts'

// RFC 5321 §6.3: 100 at least, where the count alone decides; ours is told by its own field as well, and no honest way
// is half as long.
const MOST_HOPS = 30

/** Whether a message goes round in circles: too many Received fields, or it was forwarded for the same address before. */
export function judgeHops(
  { block, recipients }: Pick<Incoming, 'block' | 'recipients'>,
  loopKey: Buffer,
): SmtpAnswer | undefined {
  const hops = block.fields.filter(({ name }) => name.toLowerCase() === 'received').length
  if (hops > MOST_HOPS) {
    return { code: 554, enhanced: '5.4.6', text: `Too many hops (${hops}): the message seems to loop` }
  }
  const marks = block.fields
    .filter(({ name }) => name.toLowerCase() === LOOP_FIELD.toLowerCase())
    .map(fieldText)
  const again = recipients.find(({ to }) => marks.includes(loopMark(to, loopKey)))
  return (
    again && {
      code: 554,
      enhanced: '5.4.6',
      text: `The message was forwarded for ${again.to} before: a loop`,
    }
  )
}
