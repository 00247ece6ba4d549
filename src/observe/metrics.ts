import { type Count, type Observe, openMetricFamilies, type Watch } from './metric-families.ts'
import { watchProcess } from './process-figures.ts'

/** The figures of this process for Prometheus: `posthorn_…`. In: what the rooms do, told by those who put them together
 *  (`main/metered.ts`). Out: a page of text. Promise: labels come from closed lists, never from mail or from customers;
 *  counting costs well below a microsecond, and reading what is read on demand costs whoever asks. Over several nodes
 *  counters add up; what is read from the database is the same on each. */
export interface Metrics {
  readonly accepted: Count<'door' | 'result'>
  readonly deliveries: Count<'outcome' | 'cause' | 'mail'>
  readonly attemptSeconds: Observe<'outcome'>
  readonly forwards: Count<'result'>
  readonly mxAnswers: Count<'command' | 'code'>
  readonly verified: Count<'result'>
  readonly verifySeconds: Observe<never>
  readonly verifyPending: Watch<never>
  readonly workerInvocations: Count<'outcome'>
  readonly workerSeconds: Observe<'event' | 'outcome'>
  readonly workersHttp: Count<'status'>
  readonly workerProcesses: Watch<never>
  readonly commitSeconds: Observe<never>
  readonly commitSets: Observe<never>
  readonly queueDeliveries: Watch<'state'>
  readonly queueOldestSeconds: Watch<never>
  readonly queueLanes: Watch<'state'>
  readonly outboxSeconds: Watch<never>
  readonly outboxEvents: Watch<never>
  readonly notifications: Count<'listener' | 'outcome'>
  readonly notificationsDropped: Count<never>
  readonly notificationsWaiting: Watch<'listener' | 'state'>
  readonly notificationsOldestSeconds: Watch<'listener' | 'state'>
  readonly dnsAnswers: Count<'transport' | 'answer'>
  readonly policyAnswers: Count<'status'>
  readonly connections: Watch<'door'>
  readonly certificateSeconds: Watch<'certificate'>
  readonly rateLeft: Watch<'scope'>
  text(): Promise<string>
  readonly contentType: string
}

const ATTEMPT_BUCKETS = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 600]
const WORKER_BUCKETS = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300]
const VERIFY_BUCKETS = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30]
const COMMIT_BUCKETS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5]
const SET_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256]

const NONE: readonly never[] = []

export function openMetrics(): Metrics {
  const families = openMetricFamilies()
  const { counter, histogram, gauge } = families
  watchProcess(families)
  return {
    accepted: counter({
      name: 'submissions_total',
      help: 'Messages submitted, by door (http, smtp, worker) and result: accepted, or the kind of refusal. Many rate-limited or daily-limit-exceeded: look at the accounts’ quotas. Many error: look at the log.',
      labels: ['door', 'result'],
    }),
    deliveries: counter({
      name: 'deliveries_total',
      help: 'What became of attempts to deliver, by outcome (delivered, bounced, deferred, unreachable, expired, stumbled), cause, and mail (sent, forward, own). Rising sender-blocked or sender-authentication: look at block lists and at SPF, DKIM and PTR. Rising stumbled: look at the log.',
      labels: ['outcome', 'cause', 'mail'],
    }),
    attemptSeconds: histogram(
      {
        name: 'attempt_seconds',
        help: 'How long a transaction with a recipient’s server took, by outcome. Slow for delivered: destinations are slow, or this machine’s network is.',
        labels: ['outcome'],
      },
      ATTEMPT_BUCKETS,
    ),
    forwards: counter({
      name: 'forwards_total',
      help: 'Mail that came in and was passed on while its sender waited, by result: delivered, refused, postponed, busy (no room now, so it was queued). Many refused: destinations take this host for the sender; look at its reputation.',
      labels: ['result'],
    }),
    mxAnswers: counter({
      name: 'mx_answers_total',
      help: 'Answers of the MX door, by command (connect, mail, rcpt, data, content) and reply code. Rising 4xx on content: a part of this installation fails, look at the log. Rising 550 on rcpt: somebody guesses addresses.',
      labels: ['command', 'code'],
    }),
    verified: counter({
      name: 'verifications_total',
      help: 'Messages and senders whose SPF, DKIM, DMARC and ARC were looked at, by result: done, unavailable (too many waited, or it took too long), failed. Any unavailable: mail is put off; give the machine more cores, or look at DNS.',
      labels: ['result'],
    }),
    verifySeconds: histogram(
      {
        name: 'verification_seconds',
        help: 'How long that took, waiting included. Seconds: the resolver is slow.',
        labels: NONE,
      },
      VERIFY_BUCKETS,
    ),
    verifyPending: gauge({
      name: 'verifications_pending',
      help: 'Of these, waiting or under way now. Hundreds: more mail comes in than can be verified; give the machine more cores, or look at DNS.',
      labels: NONE,
    }),
    workerInvocations: counter({
      name: 'worker_invocations_total',
      help: 'Invocations of Workers, by outcome (ok, exception, canceled, exceededCpu, exceededMemory, unknown). Exceptions are for their owners to mend; exceeded ones may need higher limits.',
      labels: ['outcome'],
    }),
    workerSeconds: histogram(
      {
        name: 'worker_invocation_seconds',
        help: 'How long invocations of Workers took until they had an outcome, by event (email, fetch, queue, scheduled) and outcome (answered, handled, rejected, done, failed, exception, or why there was none). Rising unavailable: raise POSTHORN_WORKERS_PROCESSES, if there is memory. Rising crashed or error: look at the log. timeout and exceeded-…: for their owners to mend, or raise POSTHORN_WORKERS_CPU_MS and POSTHORN_WORKERS_MEMORY_MB.',
        labels: ['event', 'outcome'],
      },
      WORKER_BUCKETS,
    ),
    workersHttp: counter({
      name: 'workers_http_answers_total',
      help: 'Answers of the HTTP door of Workers, by class of status, their Workers’ own included; broken: its client went away, or its Worker ended halfway. Rising 5xx: see worker_invocation_seconds for whose fault it is. Rising 4xx: somebody asks for names that no Worker has.',
      labels: ['status'],
    }),
    workerProcesses: gauge({
      name: 'worker_processes',
      help: 'Processes of Workers. At POSTHORN_WORKERS_PROCESSES: Workers that have no process are unavailable; raise it, if there is memory.',
      labels: NONE,
    }),
    commitSeconds: histogram(
      {
        name: 'commit_seconds',
        help: 'How long the database took for a commit (on SQLite a group of them), until it was on disk. Above 0.1: the disk or the database is slow, and so is everything else.',
        labels: NONE,
      },
      COMMIT_BUCKETS,
    ),
    commitSets: histogram(
      {
        name: 'commit_sets',
        help: 'How many changes shared one commit. Always 1 on PostgreSQL. Near 256 all the time: the disk is at its limit.',
        labels: NONE,
      },
      SET_BUCKETS,
    ),
    queueDeliveries: gauge({
      name: 'queue_deliveries',
      help: 'Deliveries in the queue of all nodes, by state (waiting, claimed, held). Growing: destinations are slow, away or paused; `posthorn queue` says which.',
      labels: ['state'],
    }),
    queueOldestSeconds: gauge({
      name: 'queue_oldest_seconds',
      help: 'How long ago the oldest delivery of the queue was promised; 0 where there is none. Near POSTHORN_EXPIRE_MS: it is about to fail; `posthorn queue list` shows it.',
      labels: NONE,
    }),
    queueLanes: gauge({
      name: 'queue_lanes',
      help: 'Pairs of account and recipient domain with mail waiting, by state (due, failing). Many due for long: nobody claims them, look at the log. Many failing: look at this machine’s network, port 25 and DNS.',
      labels: ['state'],
    }),
    outboxSeconds: gauge({
      name: 'outbox_oldest_seconds',
      help: 'How long ago the oldest event happened that history and webhooks have not got yet; 0 where there is none. Minutes: the projector is stuck or too slow, look at the log; mail goes on.',
      labels: NONE,
    }),
    outboxEvents: gauge({
      name: 'outbox_events',
      help: 'Events that history and webhooks have not got yet, about. Growing: as above.',
      labels: NONE,
    }),
    notifications: counter({
      name: 'notifications_total',
      help: 'Attempts to tell of events, by listener (webhook, queue) and outcome: delivered; the class of a status that is no success, or other-status; refused (it leads where we do not go), dns, connect, tls, http, timeout; failed (our own store). Mostly one outcome: customers’ receivers are for them to mend, but dns, connect or timeout for all of them is this machine’s network. Any failed: look at the log.',
      labels: ['listener', 'outcome'],
    }),
    notificationsDropped: counter({
      name: 'notifications_dropped_total',
      help: 'Events that a webhook is not told of any more, since 100,000 newer ones waited for it. Rising: its owner sees it as dropped_events; ask whether anybody still listens.',
      labels: NONE,
    }),
    notificationsWaiting: gauge({
      name: 'notifications_waiting',
      help: 'Events that wait to be told, of all nodes, by listener (webhook, queue) and state of it (active, failing, paused, disabled). Growing for active: nobody tells them, look at the log. Growing for failing or paused: their receivers do not answer; they are kept for a week, and 100,000 of each webhook.',
      labels: ['listener', 'state'],
    }),
    notificationsOldestSeconds: gauge({
      name: 'notifications_oldest_seconds',
      help: 'How long ago what waits longest was written down, or was wanted again, as above; 0 where nothing waits. Minutes for active: look at the log. Days for failing or paused: it is dropped after a week.',
      labels: ['listener', 'state'],
    }),
    dnsAnswers: counter({
      name: 'dns_answers_total',
      help: 'What became of questions to the DNS door, by transport (udp, tcp) and answer: a response code, truncated (asked to come over TCP), withheld (its network had its share), overloaded, ignored. Any servfail: the database fails, look at the log. Rising refused: a zone still delegates here that is not hosted. Rising withheld or overloaded: somebody floods it; mail servers behind the same network ask again.',
      labels: ['transport', 'answer'],
    }),
    policyAnswers: counter({
      name: 'policy_answers_total',
      help: 'Answers of the MTA-STS door, by status, or no-handshake. Any 503: look at the log; senders hold mail back where they cannot read a policy that they knew. Rising no-handshake beside few 200: the certificates in POSTHORN_POLICY_CERTS are not those of the names asked for, or scanners knock.',
      labels: ['status'],
    }),
    connections: gauge({
      name: 'connections',
      help: 'Open connections of this node, by door. Near POSTHORN_SUBMISSION_CONNECTIONS or POSTHORN_MX_CONNECTIONS: new ones are refused; raise it, or find who holds them.',
      labels: ['door'],
    }),
    certificateSeconds: gauge({
      name: 'certificate_expires_in_seconds',
      help: 'Time until the certificate of a TLS door expires. Below 1209600 (14 days): renew it. Below 0: clients refuse it.',
      labels: ['certificate'],
    }),
    rateLeft: gauge({
      name: 'rate_left',
      help: 'Of the rates per account, domain and recipient, what the busiest of each has left on this node, from 0 to 1. At 0 all the time: somebody sends faster than allowed; see submissions_total for how much is refused.',
      labels: ['scope'],
    }),
    text: () => families.text(),
    contentType: families.contentType,
  }
}
