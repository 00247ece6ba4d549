import type { Authentication, SpfVerdict } from '#inbound/authenticate/authentication.ts'
import type { Authenticator } from '#inbound/authenticate/authenticator.ts'
import type { SmtpAnswer } from '#model/smtp-answer.ts'
import { StoreFull } from '#store/store.ts'
import { type Acted, combineAnswers } from './combine-answers.ts'
import { FULL, forward } from './forward.ts'
import { handToWorker, type WorkerWorld } from './hand-to-worker.ts'
import type { Incoming, Recipient } from './incoming.ts'
import { incomingIds } from './incoming-ids.ts'
import { isByAuthor } from './is-by-author.ts'
import { judgeHops } from './judge-hops.ts'
import { judgeOrigin } from './judge-origin.ts'
import type { Judged } from './judged.ts'
import { type BodyLook, lookAtBody } from './look-at-body.ts'
import { prepareForward } from './prepare-forward.ts'
import { endEvent } from './routed-event.ts'
import { routedOf } from './routed-of.ts'

/** Act: what becomes of a message that came in. In: a complete transaction, each recipient with its rule. Out: the one
 *  answer to its content. Promise: a 250 is true when it is given: forwarded and recorded, or promised on disk, or dropped
 *  because its owner wants that, or handled by the owner's Worker; a 5xx is told to nobody else, and a 4xx leaves nothing
 *  behind but what a Worker did by itself; whatever becomes of it, the domain's owner can read why. */
export interface ActWorld extends WorkerWorld {
  readonly authenticator: Authenticator
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
  const goesOn = incoming.recipients.some(({ way }) => way.kind !== 'rule' || way.rule.action.type !== 'drop')
  const body = goesOn ? await lookAtBody(incoming) : NOT_LOOKED_AT
  if (body === 'holds-nul' && !incoming.recipients.every(isForWorker)) {
    return refuse(world, incoming, NUL, authentication)
  }
  const acted = await Promise.all(
    incoming.recipients.map((recipient) =>
      // A fault of ours for one of them is none of the others', who may be on their way.
      actFor(world, incoming, recipient, { authentication, judgement, body }).catch((error: unknown) => {
        world.log.error({ err: error, ...incomingIds(incoming, recipient) }, 'act: failed inside')
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
    await world.store.commit([endEvent('dropped', incoming, recipient, routed)])
    return { kind: 'taken' }
  }
  if (way.kind === 'rule' && way.rule.action.type === 'worker') {
    const { domain } = way
    const scriptName = way.rule.action.name
    return handToWorker(world, { incoming, recipient, domain, scriptName, judged, routed })
  }
  const refused = (answer: SmtpAnswer): Acted => ({
    ...{ kind: 'refused', answer },
    record: () =>
      world.store.commit([endEvent('rejected', incoming, recipient, { ...routed, reason: answer.text })]),
  })
  const { authentication, body } = judged
  if (body === 'holds-nul') return refused(NUL)
  const order = await prepareForward(world, incoming, recipient, {
    ...{ routed, authentication, body },
    tellsSender: judged.judgement.provesSender,
  })
  return 'kind' in order ? refused(order.answer) : forward(world, order)
}

function isForWorker({ way }: Recipient): boolean {
  return way.kind === 'rule' && way.rule.action.type === 'worker'
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
    endEvent('rejected', incoming, recipient, {
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
