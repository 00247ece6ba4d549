/** `npm run bench`: how fast mail goes through, beside what this machine could do at all, and beside Postfix.
 *
 *    npm run bench                                     five rounds of each
 *    npm run bench -- --rounds 1 --only submission     a quick look
 *    npm run bench -- --idle 1000                      what idle connections cost, in memory and in speed
 *    npm run bench -- --queued 100000                  what a dead destination's queue costs: memory, restart, others
 *    npm run bench -- --faults 500                     what destinations in trouble cost another one
 *    npm run bench -- --only forward postfix-forward   mail that comes in and goes on, beside Postfix with an alias table
 *    npm run bench -- --only forward worker --connections 32   the same through a Worker, beside plain forwarding
 *    npm run bench -- --empty-handler                  what handing a message to a Worker costs by itself
 *    npm run bench -- --large 50                       what so many messages of 25 MiB cost that are forwarded at once
 *    npm run bench -- --profile                        one round by REST, and where the time went
 *    npm run bench -- --json result.json --dir /mnt/disk --messages 20000 --connections 50
 *
 *  Each round starts a fresh server with an empty store, warms it up, and sends 5 KB messages in a closed loop over
 *  kept connections: to a development instance by REST and by SMTP submission (implicit TLS, certificate verified,
 *  AUTH PLAIN), and to Postfix with OpenDKIM by SMTP. Postfix is loaded in clear and without AUTH: so it is the harder
 *  peer, spared the records and handshakes that submission pays for. By SMTP a message is a transaction, with commands
 *  pipelined up to DATA and behind the content before. The servers sign each message (RSA-2048), have it on disk
 *  before they answer, and deliver it to a counting sink over SMTP. Time runs from the first request to the last
 *  message at the sink. Rounds alternate between the servers, so that a busy moment of the machine hits all, and this
 *  machine's RSA rate and the disk's fdatasync are taken around each. A closed loop is sensitive to company: watch
 *  the line of the cores that others kept busy.
 *
 *  Forwarding: messages that their sender signed before the run go by SMTP in clear to the MX door, are authenticated
 *  (SPF, DKIM, DMARC), signed twice and sealed (ARC), each with RSA-2048, get a rewritten sender, and are answered when
 *  the sink has synced them and the event is on disk. Postfix forwards by an alias table, does none of that work, and
 *  answers when the message is in its queue; the sink syncs for it too.
 *
 *  Worker: the same mail by rules to a Worker that awaits one forward, which has to reach 0.6 of plain forwarding.
 *  --empty-handler: the runtime alone, in this process: messages of 5 KB for a handler that does nothing, one at a time
 *  for the latencies, whose median has to stay below 3 ms, and --connections at a time.
 *
 *  --large: contents arrive whole but for the final dot before any of them goes on, twice so many on one instance. The
 *  memory is that of all its processes, a page that they share counted once, at most.
 *
 *  CPU is user and system time of the server's whole process tree (/proc, ended children included) until it fell
 *  idle; memory is the sum of its processes' VmHWM, in which shared pages count in each. Ends with 1 when a message
 *  was lost or refused. Linux only. Postfix wants root and Debian's packages postfix and opendkim.
 *
 *  --idle: each round starts one instance; another process opens connections to its submission door, each says EHLO
 *  and stays. First the growth of the server's resident memory (Rss of smaps_rollup) from fresh and settled to settled
 *  again: garbage of the handshakes that nobody collected yet is in it, what the kernel keeps for sockets is not. It is
 *  not taken of an instance that has worked, where connections move into memory that garbage left. Then throughput
 *  over submission without, beside, beside and without them, on the same instance: two instances differ by more than
 *  what is asked for. --messages is the length of each of the four.
 *
 *  --faults: queue and delivery alone, without doors and signing. Throughput to a live destination by itself, beside,
 *  beside and by itself again, where "beside" has so many messages waiting for each of three others: one that is
 *  silent, one that says everything an octet at a time, and one that says 421. Promise 4 wants a ratio of 0.9. */

import { mkdirSync, statfsSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { type EmptyHandlerRound, measureEmptyHandler } from './empty-handler.ts'
import { type FaultsRound, measureFaults } from './faults-round.ts'
import { startForwarding, startWorkerForwarding } from './forwarding.ts'
import { fsyncTime } from './fsync-time.ts'
import { type IdleRound, measureIdle } from './idle-round.ts'
import { type LargeRound, measureLarge } from './large-round.ts'
import { postfixMissing, startPostfix, startPostfixForwarder } from './postfix.ts'
import { startPosthorn } from './posthorn.ts'
import { printProfile, profileOptions, readProfiles } from './profile.ts'
import { measureQueueDepth, printQueueDepth } from './queue-depth.ts'
import {
  emptyHandlerLine,
  faultsLine,
  idleLine,
  largeLine,
  type Measured,
  printBar,
  printFaults,
  printIdle,
  printShares,
  printSummary,
  printWorkerBar,
  ratios,
  roundLine,
  spread,
  summarise,
} from './report.ts'
import { measureRound, type RoundOptions } from './round.ts'
import { rsaRate } from './rsa-rate.ts'
import { type StartPeer, temporaryFolder } from './stage.ts'

interface Flags {
  readonly rounds: number
  readonly messages: number
  readonly seconds: number
  readonly warmup: number
  readonly connections: number
  readonly only?: readonly ServerKey[]
  readonly idle?: number
  readonly faults?: number
  readonly queued?: number
  readonly large?: number
  readonly emptyHandler?: true
  readonly dir: string
  readonly json?: string
  readonly profile?: true
}

const SERVERS = {
  rest: { name: 'REST', start: (setup) => startPosthorn('rest', setup) },
  submission: { name: 'Submission', start: (setup) => startPosthorn('submission', setup) },
  postfix: { name: 'Postfix', start: startPostfix },
  forward: { name: 'Forwarding', start: startForwarding, forwards: true },
  worker: { name: 'Worker', start: startWorkerForwarding, forwards: true },
  'postfix-forward': { name: 'Postfix fw', start: startPostfixForwarder, forwards: true },
} as const satisfies Record<string, Server>

interface Server {
  readonly name: string
  readonly start: StartPeer
  /** Through the MX door, and to a sink that syncs. */
  readonly forwards?: true
}

type ServerKey = keyof typeof SERVERS
const SERVER_KEYS = Object.keys(SERVERS) as ServerKey[]

const RSA_SECONDS = 0.5
/** What forwarding has to reach on two cores. */
const FORWARDS_PER_SECOND = 400
/** What of that is left where a Worker forwards. */
const WORKER_SHARE = 0.6
/** What handing a message to a Worker may take. */
const EMPTY_HANDLER_MS = 3
/** platform-limits.md: the largest message. */
const LARGE_BYTES = 25 * 1024 * 1024 - 4096
const LARGE_MB = 300
/** Ten seconds' worth, so that they meet a probe of the dead destination. */
const FRESH = 20
/** Longer than a development instance's last retry takes (10 s, jittered). */
const STALLED_MS = 30_000
/** statfs(2) */
const TMPFS_MAGIC = 0x01021994

const command = new Command('npm run bench --')
  .description('Measures messages a second end to end: submitted, signed, on disk, delivered to a sink.')
  .option('--rounds <n>', 'rounds of each server', positive, 5)
  .option('--messages <n>', 'messages in a round', positive, 5_000)
  .option('--seconds <n>', 'send no more in a round after this time', positive, 120)
  .option('--warmup <n>', 'messages before those', positive, 1_500)
  .option('--connections <n>', 'connections, each with one message in flight', positive, 20)
  .addOption(new Option('--only <servers...>', 'measure some of them').choices(SERVER_KEYS))
  .addOption(
    new Option('--idle <n>', 'what so many idle submission connections cost (--messages: 3000)')
      .argParser(positive)
      .implies({ messages: 3_000 }),
  )
  .option('--queued <n>', 'what so many deliveries cost that wait for a dead destination', positive)
  .addOption(
    new Option('--faults <n>', 'what destinations in trouble cost another, with so many waiting at each')
      .argParser(positive)
      .conflicts(['idle', 'only', 'profile']),
  )
  .addOption(
    new Option('--large <n>', 'what so many messages of 25 MiB cost that are forwarded at once')
      .argParser(positive)
      .conflicts(['idle', 'only', 'profile']),
  )
  .addOption(
    new Option('--empty-handler', 'what handing a message to a Worker costs by itself').conflicts([
      'idle',
      'only',
      'profile',
    ]),
  )
  .option('--dir <folder>', 'where the servers keep their data: the disk that is measured', tmpdir())
  .option('--json <file>', 'write all results there too')
  .option('--profile', 'one round by REST (or --only submission) under the CPU profiler')
  .parse()
const flags = command.opts<Flags>()

const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
process.once('SIGTERM', () => stop.abort())

try {
  if (process.platform !== 'linux') throw new Error('The bench reads /proc, so it runs on Linux only')
  if (statfsSync(flags.dir).type === TMPFS_MAGIC) {
    console.log(`${flags.dir} is in memory: fsync costs nothing there, so these figures flatter. See --dir.`)
  }
  process.exitCode = await run()
} catch (error) {
  if (stop.signal.aborted) console.error('Interrupted')
  else console.error(error)
  process.exitCode = stop.signal.aborted ? 130 : 1
}

function run(): Promise<number> {
  if (flags.profile) return profile()
  if (flags.queued !== undefined) return queued(flags.queued)
  if (flags.faults !== undefined) return faults(flags.faults)
  if (flags.large !== undefined) return large(flags.large)
  if (flags.emptyHandler) return emptyHandler()
  return flags.idle === undefined ? compare() : idle(flags.idle)
}

async function compare(): Promise<number> {
  const missing = postfixMissing()
  const wanted: readonly Server[] = (flags.only ?? SERVER_KEYS).map((key) => SERVERS[key])
  const isPostfix = (server: Server) => server === SERVERS.postfix || server === SERVERS['postfix-forward']
  if (wanted.some(isPostfix) && missing !== undefined) console.log(`Postfix is skipped: ${missing}.`)
  const servers = wanted
    .filter((server) => !isPostfix(server) || missing === undefined)
    .map((server) => ({ ...server, rounds: new Array<Measured>() }))

  for (let round = 1; round <= flags.rounds; round++) {
    for (const { name, start, forwards, rounds } of servers) {
      const measured = await measure(start, forwards)
      rounds.push(measured)
      console.log(`${round}/${flags.rounds} ${roundLine(name, measured)}`)
      for (const refusal of measured.load.refusals) console.log(`    refused: ${refusal}`)
    }
  }

  const results = servers.map(({ name, forwards, rounds }) => ({
    ...{ name, forwards, rounds },
    summary: summarise(rounds),
  }))
  for (const { name, summary } of results) printSummary(name, summary)
  const [forwarders, relays] = [
    results.filter(({ forwards }) => forwards),
    results.filter(({ forwards }) => !forwards),
  ]
  const toPostfix = {
    ...ratios(relays, SERVERS.postfix.name),
    ...ratios(forwarders, SERVERS['postfix-forward'].name),
  }
  printShares(results, toPostfix)
  const forwarding = results.find(({ name }) => name === SERVERS.forward.name)
  if (forwarding) printBar(forwarding.summary, FORWARDS_PER_SECOND)
  const toForwarding = ratios(forwarders, SERVERS.forward.name)
  const workers = toForwarding[SERVERS.worker.name]
  if (workers) printWorkerBar(workers, WORKER_SHARE)
  writeJson({ results, toPostfix, toForwarding })
  return results.some(({ summary }) => summary.lost > 0 || summary.refused > 0) ? 1 : 0
}

async function idle(connections: number): Promise<number> {
  const rounds: IdleRound[] = []
  for (let round = 1; round <= flags.rounds; round++) {
    const measured = await measureIdle(SERVERS.submission.start, { ...roundOptions(), idle: connections })
    rounds.push(measured)
    console.log(`${round}/${flags.rounds} ${idleLine(measured)}`)
    for (const refusal of measured.refusals) console.log(`    refused: ${refusal}`)
  }
  printIdle(connections, rounds)
  writeJson({ rounds })
  return rounds.some(({ lost, refused }) => lost > 0 || refused > 0) ? 1 : 0
}

async function queued(deliveries: number): Promise<number> {
  const { dir } = flags
  const depth = await measureQueueDepth({ dir, queued: deliveries, fresh: FRESH, signal: stop.signal })
  const kept = printQueueDepth(depth)
  writeJson({ depth })
  return kept ? 0 : 1
}

async function faults(waiting: number): Promise<number> {
  const rounds: FaultsRound[] = []
  for (let round = 1; round <= flags.rounds; round++) {
    const measured = await measureFaults({ ...roundOptions(), waiting }, round)
    rounds.push(measured)
    console.log(`${round}/${flags.rounds} ${faultsLine(measured)}`)
  }
  printFaults(waiting, rounds)
  writeJson({ rounds })
  return rounds.some(({ lost }) => lost > 0) ? 1 : 0
}

async function large(connections: number): Promise<number> {
  const rounds: LargeRound[] = []
  for (let round = 1; round <= flags.rounds; round++) {
    const measured = await measureLarge({ ...roundOptions(), connections, bytes: LARGE_BYTES })
    rounds.push(measured)
    console.log(`${round}/${flags.rounds} ${largeLine(measured)}`)
    for (const refusal of measured.refusals) console.log(`    refused: ${refusal}`)
  }
  const most = Math.max(...rounds.map(({ mostMb }) => mostMb))
  const kept = most < LARGE_MB
  console.log(
    `${connections} messages of 25 MiB at once: ${Math.round(most)} MB; the bar is ${LARGE_MB} MB: ${kept ? 'kept' : 'MISSED'}`,
  )
  writeJson({ rounds })
  return kept && rounds.every(({ lost, refusals }) => lost === 0 && refusals.length === 0) ? 0 : 1
}

async function emptyHandler(): Promise<number> {
  const rounds: EmptyHandlerRound[] = []
  for (let round = 1; round <= flags.rounds; round++) {
    const measured = await measureEmptyHandler(roundOptions())
    rounds.push(measured)
    console.log(`${round}/${flags.rounds} ${emptyHandlerLine(measured)}`)
  }
  const { median } = spread(rounds.map(({ p50 }) => p50))
  const kept = median < EMPTY_HANDLER_MS
  console.log(
    `An empty handler takes ${median.toFixed(2)} ms; the bar is ${EMPTY_HANDLER_MS} ms: ${kept ? 'kept' : 'MISSED'}`,
  )
  writeJson({ rounds })
  return kept && rounds.every(({ failed }) => failed === 0) ? 0 : 1
}

async function profile(): Promise<number> {
  using folder = temporaryFolder(flags.dir)
  const profiles = join(folder.path, 'profiles')
  mkdirSync(profiles)
  const [only = 'rest'] = flags.only ?? []
  const door = only === 'submission' || only === 'forward' || only === 'worker' ? only : 'rest'
  const options = profileOptions(profiles)
  const start: StartPeer = (setup) =>
    door === 'forward'
      ? startForwarding(setup, options)
      : door === 'worker'
        ? startWorkerForwarding(setup, options)
        : startPosthorn(door, setup, options)
  const measured = await measure(start, door === 'forward' || door === 'worker')
  console.log(`${roundLine(SERVERS[door].name, measured)} (slowed by the profiler)`)
  const { firstAt, lastAt, threads } = measured
  printProfile(readProfiles(profiles, firstAt, lastAt), threads, lastAt - firstAt)
  return measured.lost > 0 ? 1 : 0
}

async function measure(start: StartPeer, sinkSyncs = false): Promise<Measured> {
  const { dir } = flags
  const before = { rsa: rsaRate(RSA_SECONDS), fsync: fsyncTime(dir) }
  const result = await measureRound(start, { ...roundOptions(), sinkSyncs })
  const rsaPerSecond = (before.rsa + rsaRate(RSA_SECONDS)) / 2
  const fsyncMs = (before.fsync + fsyncTime(dir)) / 2
  return { ...result, rsaPerSecond, fsyncMs, rsaShare: result.perSecond / rsaPerSecond }
}

function roundOptions(): RoundOptions {
  const { dir, connections, messages, seconds, warmup } = flags
  return { dir, connections, messages, seconds, warmup, stalledMs: STALLED_MS, signal: stop.signal }
}

function writeJson(results: object): void {
  if (flags.json === undefined) return
  const machine = { node: process.version, cpus: cpus().map(({ model }) => model) }
  writeFileSync(flags.json, `${JSON.stringify({ machine, flags, ...results }, undefined, 2)}\n`)
}

function positive(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('A whole number from 1 on.')
  return value
}
