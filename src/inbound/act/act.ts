import { contentSize } from '#bodies/read-content.ts'
import type { Authentication, SpfVerdict } from '#inbound/authenticate/authentication.ts'
import type { Authenticator } from '#inbound/authenticate/authenticator.ts'
import type { Routed, RoutingAction } from '#model/routing.ts'
import type { SmtpAnswer } from '#model/smtp-answer.ts'
import { StoreFull, type Write } from '#store/store.ts'
import { type Acted, combineAnswers } from './combine-answers.ts'
import { type ForwardWorld, FULL, forward } from './forward.ts'
import type { Incoming, Recipient } from './incoming.ts'
import { isByAuthor } from './is-by-author.ts'
import { judgeHops } from './judge-hops.ts'
import { type Judgement, judgeOrigin, resultWords } from './judge-origin.ts'
import { type BodyLook, lookAtBody } from './look-at-body.ts'
import { prepareForward, type SealWorld, subjectOf } from './prepare-forward.ts'
import { routedEvent } from './routed-event.ts'

/** Act: what becomes of a message that came in. In: a complete transaction, each recipient with its rule. Out: the one
 *  answer to its content. Promise: a 250 is true when it is given: forwarded and recorded, or promised on disk, or
 *  dropped because its owner wants that; a 5xx is told to nobody else, and a 4xx leaves nothing behind; whatever becomes
 *  of it, the domain's owner can read why. */
export interface ActWorld extends ForwardWorld, SealWorld {
  readonly authenticator: Authenticator
}

/** What is known once the message was authenticated. */
interface Judged {
  readonly authentication: Authentication
  readonly judgement: Judgement & { readonly kind: 'taken' }
  readonly body: BodyLook
}

/** Of what goes nowhere. */
const NOT_LOOKED_AT: BodyLook = { hash: '', eightBit: false }

const BUSY: SmtpAnswer = {
  code: 451,
  enhanced: '4.3.2',
  text: 'Too much mail is being looked at, try again later',
}

const BROKEN: SmtpAnswer = {
  code: 451,
  enhanced: '4.3.0',
  text: 'Temporary system problem, try again later',
}

/** `spf`: what was found out at RCPT already. */
export type Act = (incoming: Incoming, spf?: SpfVerdict) => Promise<SmtpAnswer>

export async function act(world: ActWorld, incoming: Incoming, spf?: SpfVerdict): Promise<SmtpAnswer> {
  const { session, mailFrom, content, flaw } = incoming
  // RFC 3463 X.6.0: the content cannot be read by everybody in the same way.
  if (flaw !== undefined) return refuse(world, incoming, { code: 554, enhanced: '5.6.0', text: flaw })
  const looping = judgeHops(incoming, world.loopKey)
  if (looping) return refuse(world, incoming, looping)
  const { remoteAddress, helo } = session
  const mail = { content, remoteAddress, helo, mailFrom }
  const authentication = await world.authenticator.authenticate(mail, spf && { spf })
  if (authentication === 'unavailable') return BUSY
  const returning = incoming.recipients.every(({ way }) => way.kind === 'return')
  const exempt = mailFrom === '' || returning
  const judgement = judgeOrigin(authentication, {
    ...{ exempt, returning, remoteAddress },
    byAuthor: isByAuthor(mailFrom, incoming.block),
  })
  if (judgement.kind !== 'taken') {
    const { reply } = judgement
    return judgement.kind === 'not-now' ? reply : refuse(world, incoming, reply, authentication)
  }
  const isForwarded = incoming.recipients.some(
    ({ way }) => way.kind !== 'rule' || way.rule.action.type === 'forward',
  )
  const body = isForwarded ? await lookAtBody(incoming) : NOT_LOOKED_AT
  if (body === 'holds-nul') return refuse(world, incoming, NUL, authentication)
  const acted = await Promise.all(
    incoming.recipients.map((recipient) =>
      // A fault of ours for one of them is none of the others', who may be on their way.
      actFor(world, incoming, recipient, { authentication, judgement, body }).catch((error: unknown) => {
        world.log.error({ err: error, session: incoming.session.id }, 'act: failed inside')
        return { kind: 'not-now', answer: error instanceof StoreFull ? FULL : BROKEN } as const
      }),
    ),
  )
  const { answer, told } = combineAnswers(acted)
  for (const one of acted) if (one.kind === 'refused') await one.record(told)
  return answer
}

async function actFor(
  world: ActWorld,
  incoming: Incoming,
  recipient: Recipient,
  judged: Judged,
): Promise<Acted> {
  const { way } = recipient
  const routed = routedOf(incoming, recipient, judged)
  if (way.kind === 'rule' && way.rule.action.type === 'drop') {
    await world.store.commit([ended('dropped', incoming, recipient, routed)])
    return { kind: 'taken' }
  }
  if (way.kind === 'rule' && way.rule.action.type === 'worker') {
    const reason = `There is no Worker ${way.rule.action.name} here`
    await world.store.commit([ended('failed', incoming, recipient, { ...routed, reason })])
    return { kind: 'not-now', answer: NO_WORKER }
  }
  const order = await prepareForward(world, incoming, recipient, {
    ...{ routed, authentication: judged.authentication, body: judged.body },
    tellsSender: judged.judgement.provesSender,
  })
  if ('kind' in order) {
    const reason = order.answer.text
    const record = () => world.store.commit([ended('rejected', incoming, recipient, { ...routed, reason })])
    return { ...order, record }
  }
  return forward(world, order)
}

const NO_WORKER: SmtpAnswer = {
  code: 451,
  enhanced: '4.3.0',
  text: 'What handles mail for this address is not available, try again later',
}

/** Refused for all recipients, each of whose owners sees why. */
async function refuse(
  world: ActWorld,
  incoming: Incoming,
  answer: SmtpAnswer,
  authentication?: Authentication,
): Promise<SmtpAnswer> {
  const judged = authentication && { authentication }
  const events = incoming.recipients.map((recipient) =>
    ended('rejected', incoming, recipient, {
      ...routedOf(incoming, recipient, judged),
      reason: answer.text,
    }),
  )
  await world.store.commit(events)
  return answer
}

// RFC 2045 §2.7 and §2.8 have no octet 0, and some hosts take it out: the line left behind may be a lone dot.
const NUL: SmtpAnswer = {
  code: 554,
  enhanced: '5.6.0',
  text: 'The message contains NUL, and cannot be forwarded as it is',
}

function routedOf(
  { session, mailFrom, block }: Incoming,
  { to, way }: Recipient,
  judged?: { readonly authentication: Authentication; readonly judgement?: Judged['judgement'] },
): Routed {
  const action: RoutingAction =
    way.kind === 'rule' ? way.rule.action.type : way.kind === 'return' ? 'return' : 'forward'
  const isReport = block.fields.some(
    (field) => field.name.toLowerCase() === 'content-type' && /^\s*multipart\/report\b/i.test(field.value),
  )
  return {
    ruleId: way.kind === 'rule' ? way.rule.id : null,
    action,
    recipient: to,
    ...(judged && resultWords(judged.authentication)),
    isSpam: judged?.judgement?.isSpam ?? false,
    isNdr: mailFrom === '' || isReport,
    sessionId: session.id,
    remoteAddress: session.remoteAddress,
  }
}

/** The one event of a message that goes no further. */
function ended(
  type: 'dropped' | 'rejected' | 'failed',
  { mailFrom, content, block, at }: Incoming,
  { way }: Recipient,
  routed: Routed,
): Write {
  return routedEvent(type, {
    domain: way.kind === 'rule' ? way.domain : undefined,
    ...{ routed, at, mailFrom, subject: subjectOf(block), size: contentSize(content) },
  })
}
