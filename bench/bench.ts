/** `npm run bench`: how fast mail goes through, beside what this machine could do at all, and beside Postfix.
 *
 *    npm run bench                                  five rounds of each
 *    npm run bench -- --rounds 1 --only rest        a quick look
 *    npm run bench -- --profile                     one round, and where the time went
 *    npm run bench -- --json result.json --dir /mnt/disk --messages 20000 --connections 50
 *
 *  Each round starts a fresh server with an empty store, warms it up, and sends 5 KB messages in a closed loop: by
 *  REST to a development instance, by SMTP to Postfix with OpenDKIM. The servers sign each message (RSA-2048), have it
 *  on disk before they answer, and deliver it to a counting sink over SMTP. Time runs from the first request to the
 *  last message at the sink. Rounds of the two alternate, so that a busy moment of the machine hits both, and this
 *  machine's RSA rate and the disk's fdatasync are taken around each. A closed loop is sensitive to company: watch
 *  the line of the cores that others kept busy.
 *
 *  CPU is user and system time of the server's whole process tree (/proc, ended children included) until it fell
 *  idle; memory is the sum of its processes' VmHWM, in which shared pages count in each. Ends with 1 when a message
 *  was lost or refused. Linux only. Postfix wants root and Debian's packages postfix and opendkim. */

import { mkdirSync, statfsSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, InvalidArgumentError, Option } from 'commander'
import { fsyncTime } from './fsync-time.ts'
import { postfixMissing, startPostfix } from './postfix.ts'
import { startPosthorn } from './posthorn.ts'
import { printProfile, profileOptions, readProfiles } from './profile.ts'
import { type Measured, printSummary, roundLine, spread, summarise } from './report.ts'
import { measureRound, type Peer, type PeerSetup, type RoundOptions, temporaryFolder } from './round.ts'
import { rsaRate } from './rsa-rate.ts'

interface Flags {
  readonly rounds: number
  readonly messages: number
  readonly seconds: number
  readonly warmup: number
  readonly connections: number
  readonly only?: 'rest' | 'postfix'
  readonly dir: string
  readonly json?: string
  readonly profile?: true
}

const RSA_SECONDS = 0.5
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
  .addOption(new Option('--only <server>', 'measure one of the two').choices(['rest', 'postfix']))
  .option('--dir <folder>', 'where the servers keep their data: the disk that is measured', tmpdir())
  .option('--json <file>', 'write all results there too')
  .option('--profile', 'one round by REST under the CPU profiler: what the threads spent themselves in')
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
  process.exitCode = await (flags.profile ? profile() : compare())
} catch (error) {
  if (stop.signal.aborted) console.error('Interrupted')
  else console.error(error)
  process.exitCode = stop.signal.aborted ? 130 : 1
}

async function compare(): Promise<number> {
  const missing = postfixMissing()
  if (flags.only !== 'rest' && missing !== undefined) console.log(`Postfix is skipped: ${missing}.`)
  const servers = [
    { name: 'Posthorn', start: startPosthorn, on: flags.only !== 'postfix' },
    { name: 'Postfix', start: startPostfix, on: flags.only !== 'rest' && missing === undefined },
  ].flatMap(({ name, start, on }) => (on ? [{ name, start, rounds: new Array<Measured>() }] : []))

  for (let round = 1; round <= flags.rounds; round++) {
    for (const { name, start, rounds } of servers) {
      const measured = await measure(start)
      rounds.push(measured)
      console.log(`${round}/${flags.rounds} ${roundLine(name, measured)}`)
      for (const refusal of measured.load.refusals) console.log(`    refused: ${refusal}`)
    }
  }

  const results = servers.map(({ name, rounds }) => ({ name, summary: summarise(rounds), rounds }))
  for (const { name, summary } of results) printSummary(name, summary)
  const [posthorn, postfix] = servers
  const ratios = posthorn?.rounds.flatMap(({ perSecond }, i) => {
    const other = postfix?.rounds[i]
    return other === undefined ? [] : [perSecond / other.perSecond]
  })
  if (ratios !== undefined && ratios.length > 0) {
    const each = ratios.map((ratio) => ratio.toFixed(2)).join(', ')
    console.log(
      `\nPosthorn to Postfix, messages a second round by round: ${each}; median ${spread(ratios).median.toFixed(2)}`,
    )
  }
  if (flags.json !== undefined) {
    const machine = { node: process.version, cpus: cpus().map(({ model }) => model) }
    writeFileSync(flags.json, `${JSON.stringify({ machine, flags, results, ratios }, undefined, 2)}\n`)
  }
  return results.some(({ summary }) => summary.lost > 0 || summary.refused > 0) ? 1 : 0
}

async function profile(): Promise<number> {
  using folder = temporaryFolder(flags.dir)
  const profiles = join(folder.path, 'profiles')
  mkdirSync(profiles)
  const measured = await measure((setup) => startPosthorn(setup, profileOptions(profiles)))
  console.log(`${roundLine('Posthorn', measured)} (slowed by the profiler)`)
  const { firstAt, lastAt, threads } = measured
  printProfile(readProfiles(profiles, firstAt, lastAt), threads, lastAt - firstAt)
  return measured.lost > 0 ? 1 : 0
}

async function measure(start: (setup: PeerSetup) => Promise<Peer>): Promise<Measured> {
  const { dir, connections, messages, seconds, warmup } = flags
  const options: RoundOptions = {
    dir,
    connections,
    messages,
    seconds,
    warmup,
    stalledMs: STALLED_MS,
    signal: stop.signal,
  }
  const before = { rsa: rsaRate(RSA_SECONDS), fsync: fsyncTime(dir) }
  const result = await measureRound(start, options)
  const rsaPerSecond = (before.rsa + rsaRate(RSA_SECONDS)) / 2
  const fsyncMs = (before.fsync + fsyncTime(dir)) / 2
  return { ...result, rsaPerSecond, fsyncMs, rsaShare: result.perSecond / rsaPerSecond }
}

function positive(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('A whole number from 1 on.')
  return value
}
