import type { SmtpAnswer } from '#model/smtp-answer.ts'
import type { AttemptReport } from '#outbound/outcome/attempt-event.ts'

/** What the destination's server said for good, as our own answer (reference-postmaster.md, SMTP errors): its code, its
 *  enhanced code, its words. A destination that could not be asked has the code of DNS or of routing. */
export function relayRefusal({ smtpStatus, enhancedStatus, reply, host }: AttemptReport): SmtpAnswer {
  const code = smtpStatus !== undefined && smtpStatus >= 500 && smtpStatus <= 599 ? smtpStatus : 550
  const enhanced = enhancedStatus?.startsWith('5.') === true ? enhancedStatus : '5.0.0'
  const words = (reply ?? '').replace(/^(?:\d{3} )?(?:\d\.\d{1,3}\.\d{1,3} )?/, '')
  if (smtpStatus === undefined) return { code, enhanced, text: words || 'The destination takes no mail' }
  return { code, enhanced, text: `${words || 'Refused'}${host === undefined ? '' : ` (${host})`}` }
}
