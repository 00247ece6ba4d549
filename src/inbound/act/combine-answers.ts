import type { SmtpAnswer } from '#model/smtp-answer.ts'

/** What became of a message for one recipient. */
export type Acted =
  /** Done, or promised: the sender is told 250. */
  | { readonly kind: 'taken' }
  | Refused
  /** Neither done nor promised: the sender has to come again. */
  | { readonly kind: 'not-now'; readonly answer: SmtpAnswer }

/** For good, and the answer is the sender's to have. */
export interface Refused {
  readonly kind: 'refused'
  readonly answer: SmtpAnswer
  /** Records it; to be called once. `told`: the sender has the answer in the session. Otherwise it gets a notice. */
  readonly record: (told: boolean) => Promise<unknown>
}

const TAKEN: SmtpAnswer = { code: 250, enhanced: '2.0.0', text: 'Ok' }

/** One answer for all recipients of a transaction (DECISIONS, Routing). What is not kept for one of them is not kept: the
 *  sender comes again, and who has it already gets it twice. Refused by all, it is refused. Otherwise it is taken, and
 *  the sender is to be told of those that refused it in another way. */
export function combineAnswers(acted: readonly Acted[]): {
  readonly answer: SmtpAnswer
  readonly told: boolean
} {
  const notNow = acted.find((one) => one.kind === 'not-now')
  if (notNow) return { answer: notNow.answer, told: true }
  const refused = acted.filter((one) => one.kind === 'refused')
  const [first] = refused
  if (first && refused.length === acted.length) return { answer: first.answer, told: true }
  return { answer: TAKEN, told: false }
}
