import type { Authenticator } from '#inbound/authenticate/authenticator.ts'
import type { Cause } from '#model/event.ts'
import type { NotifyWatch } from '#notify/notify-watch.ts'
import type { Log } from '#observe/log.ts'
import { manyMailIds } from '#observe/mail-ids.ts'
import type { Metrics } from '#observe/metrics.ts'
import type { Acceptor } from '#outbound/accept/accept.ts'
import type { AcceptOptions } from '#outbound/accept/accept-world.ts'
import type { Delivery } from '#outbound/deliver/deliver.ts'
import type { AttemptReport } from '#outbound/outcome/attempt-event.ts'
import type { Lanemates, Outcome } from '#outbound/outcome/outcome.ts'
import type { ClaimedDelivery } from '#outbound/queue/claimed-delivery.ts'
import type { DataSink, SmtpHandler } from '#smtp/handler.ts'
import type { Reply } from '#smtp/reply.ts'

/** The parts with somebody beside them who counts, and tells the log of each message; what they do stays as it is. */

interface Watching {
  readonly metrics: Metrics
  readonly log: Log
}

export function meteredAcceptor(acceptor: Acceptor, { metrics: { accepted }, log }: Watching): Acceptor {
  return {
    ...acceptor,
    async accept(submission, by, how) {
      const door = doorOf(how)
      try {
        const outcome = await acceptor.accept(submission, by, how)
        const account = by.accountId
        if ('kind' in outcome) {
          accepted({ door, result: outcome.kind })
          log.info({ account, door, refusal: outcome.kind }, 'accept: a message was refused')
        } else {
          accepted({ door, result: 'accepted' })
          const { id: message, messageId } = outcome
          log.info({ account, message, messageId, door }, 'accept: a message was promised')
        }
        return outcome
      } catch (error) {
        accepted({ door, result: 'error' })
        throw error
      }
    },
  }
}

function doorOf({ worker, protocol }: AcceptOptions): string {
  if (worker) return 'worker'
  return protocol === 'HTTP' ? 'http' : 'smtp'
}

/** Counted once it is recorded. */
export function meteredOutcome(outcome: Outcome, { metrics, log }: Watching): Outcome {
  const count = (
    what: string,
    [delivery, ...others]: Lanemates,
    cause: Cause | '',
    report?: AttemptReport,
  ) => {
    metrics.deliveries({ outcome: what, cause, mail: mailOf(delivery) })
    const { host, smtpStatus, durationMs } = report ?? {}
    // Not the reply: hosts quote what they were sent.
    log.info(
      {
        ...manyMailIds([delivery, ...others]),
        outcome: what,
        ...(cause && { cause }),
        ...{ host, smtpStatus, durationMs },
      },
      'deliver: an attempt',
    )
    if (report?.durationMs !== undefined) metrics.attemptSeconds({ outcome: what }, report.durationMs / 1000)
  }
  return {
    ...outcome,
    async delivered(delivery, report) {
      await outcome.delivered(delivery, report)
      count('delivered', [delivery], '', report)
    },
    async refused(delivery, report, classified) {
      await outcome.refused(delivery, report, classified)
      count(classified.permanent ? 'bounced' : 'deferred', [delivery], classified.cause, report)
    },
    async unreachable(deliveries, report, cause) {
      const restMs = await outcome.unreachable(deliveries, report, cause)
      // One attempt for all that wait in the lane.
      count('unreachable', deliveries, cause, report)
      return restMs
    },
    async stumbled(delivery) {
      await outcome.stumbled(delivery)
      count('stumbled', [delivery], 'other')
    },
  }
}

function mailOf({ message }: ClaimedDelivery): string {
  if (message.forwarding) return 'forward'
  return message.sender === '' ? 'own' : 'sent'
}

export function meteredForwards(
  delivery: Pick<Delivery, 'attempt'>,
  { forwards }: Metrics,
): Pick<Delivery, 'attempt'> {
  return {
    attempt(...of) {
      const attempt = delivery.attempt(...of)
      if (!attempt) forwards({ result: 'busy' })
      else void attempt.verdict.then(({ kind }) => forwards({ result: kind }))
      return attempt
    },
  }
}

export function meteredAuthenticator(authenticator: Authenticator, metrics: Metrics): Authenticator {
  let pending = 0
  metrics.verifyPending(() => [{ labels: {}, value: pending }])

  async function metered<T>(work: () => Promise<T>): Promise<T> {
    const started = performance.now()
    let result = 'failed'
    pending++
    try {
      const found = await work()
      result = found === 'unavailable' ? 'unavailable' : 'done'
      return found
    } finally {
      pending--
      metrics.verified({ result })
      metrics.verifySeconds({}, (performance.now() - started) / 1000)
    }
  }

  return {
    authenticate: (mail, known) => metered(() => authenticator.authenticate(mail, known)),
    checkSender: (session) => metered(() => authenticator.checkSender(session)),
    close: () => authenticator.close(),
  }
}

/** The MX door's answers. A callback that says nothing lets the session answer for it: 220 to a connection, 250 else. */
export function meteredAnswers(handler: SmtpHandler, { mxAnswers }: Metrics): SmtpHandler {
  const count = (command: string, reply: Reply | undefined, otherwise: string) =>
    mxAnswers({ command, code: reply ? codeOf(reply) : otherwise })

  function counted<Args extends unknown[]>(
    command: string,
    otherwise: string,
    callback: ((...args: Args) => Reply | undefined | Promise<Reply | undefined>) | undefined,
  ) {
    return async (...args: Args): Promise<Reply | undefined> => {
      try {
        const reply = await callback?.(...args)
        count(command, reply, otherwise)
        return reply
      } catch (error) {
        mxAnswers({ command, code: '451' })
        throw error
      }
    }
  }

  return {
    ...handler,
    connect: counted('connect', '220', handler.connect?.bind(handler)),
    mail: counted('mail', '250', handler.mail?.bind(handler)),
    rcpt: counted('rcpt', '250', handler.rcpt?.bind(handler)),
    async data(session) {
      const sink = await handler.data(session)
      if ('code' in sink) {
        count('data', sink, '')
        return sink
      }
      return meteredSink(sink, (reply) => count('content', reply, '451'))
    },
  }
}

function meteredSink(sink: DataSink, count: (reply: Reply | undefined) => void): DataSink {
  return {
    write: (chunk) => sink.write(chunk),
    abort: (reason) => sink.abort(reason),
    async end() {
      try {
        const reply = await sink.end()
        count(reply)
        return reply
      } catch (error) {
        count(undefined)
        throw error
      }
    },
  }
}

/** What is told of, as `/metrics` has it. */
export function notifyWatch({ notifications, notificationsDropped }: Metrics): NotifyWatch {
  return {
    tried: (listener, outcome, count) => notifications({ listener, outcome }, count),
    dropped: (count) => notificationsDropped({}, count),
  }
}

/** The statuses of the policy door's own. */
export function policyStatus(status: number | 'no-handshake'): string {
  return status === 'no-handshake' || POLICY_STATUSES.has(status) ? String(status) : 'other'
}

const POLICY_STATUSES = new Set([200, 404, 405, 503])

/** Of a status that a customer's Worker may have made up. */
export function statusClass(status: number | 'broken'): string {
  if (status === 'broken') return status
  const hundreds = Math.floor(status / 100)
  return hundreds >= 1 && hundreds <= 5 ? `${hundreds}xx` : 'other'
}

/** The outcome of an invocation as the customer's process tells it, which may tell anything. */
export function workerOutcome(told: string): string {
  return WORKER_OUTCOMES.has(told) ? told : 'unknown'
}

const WORKER_OUTCOMES = new Set(['ok', 'exception', 'canceled', 'exceededCpu', 'exceededMemory'])

/** Those that are ours, and the usual ones of others that are passed on. */
const CODES = new Set([
  220, 250, 251, 421, 450, 451, 452, 454, 455, 500, 501, 503, 521, 530, 535, 541, 550, 551, 552, 553, 554,
  555, 556,
])

function codeOf({ code }: Reply): string {
  return CODES.has(code) ? String(code) : `${Math.floor(code / 100)}xx`
}
