import { execFileSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { ROUTED, ROUTES, SENDER, SENDER_DOMAIN } from './forwarding.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import type { Peer, PeerSetup } from './stage.ts'
import { until } from './until.ts'

/** The peer: Postfix as an instance of its own in a temporary folder; the system's is not touched. Every message is
 *  queued with fsync (its default), and relayed to the sink over kept connections. Without a syslog it logs for free.
 *  Where a default could have held it back it was measured: in_flow_delay 0, 50 deliveries at once, static connection
 *  cache, no DNS: none made a difference beyond the noise, the processors are the limit. */

const MASTER = '/usr/lib/postfix/sbin/master'
const POSTFIX = '/usr/sbin/postfix'
const OPENDKIM = '/usr/sbin/opendkim'
const READY_WITHIN_MS = 15_000

/** Why this machine cannot run the peer; undefined where it can. */
export function postfixMissing(): string | undefined {
  const missing = [MASTER, POSTFIX, OPENDKIM].filter((file) => !existsSync(file))
  if (missing.length > 0) return `${missing.join(', ')} not there (Debian: apt-get install postfix opendkim)`
  if (process.getuid?.() !== 0) return 'its master starts as root only'
  return undefined
}

/** Signs what it relays: OpenDKIM does, as a milter in the SMTP session. */
export async function startPostfix({ folder, sinkPort, signal }: PeerSetup): Promise<Peer> {
  const milter = join(folder, 'opendkim.sock')
  await using started = new AsyncDisposableStack()
  writeFileSync(join(folder, 'opendkim.conf'), opendkimConf(folder, milter))
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  writeFileSync(join(folder, 'dkim.pem'), privateKey.export({ type: 'pkcs1', format: 'pem' }), {
    mode: 0o600,
  })
  // Its user must get in.
  chmodSync(folder, 0o755)
  const log = join(folder, 'log')
  const opendkim = started.use(
    startServer({ command: OPENDKIM, args: ['-f', '-x', join(folder, 'opendkim.conf')], log, signal }),
  )
  const patience = { every: 20, within: READY_WITHIN_MS, signal }
  if (!(await until(() => opendkim.ended || existsSync(milter), patience)) || opendkim.ended) {
    throw new Error(`OpenDKIM did not start:\n${opendkim.lastWords()}`)
  }
  const milters = `smtpd_milters = unix:${milter}\nmilter_default_action = tempfail\n`
  const { master, port } = await startMaster({ folder, sinkPort, signal }, milters)
  started.use(master)
  const running = started.move()
  return {
    name: 'Postfix',
    pids: [master.pid, opendkim.pid],
    load: './smtp-load.ts',
    target: { host: '127.0.0.1', port },
    lastWords: () => master.lastWords(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** Forwards by its alias table, and does no more with a message: it asks no DNS, verifies, signs and seals nothing,
 *  leaves the sender as it is, and answers once the message is in its queue. */
export async function startPostfixForwarder(setup: PeerSetup): Promise<Peer> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' })
  const aliases = ROUTES.map(([from, to]) => `{ ${from} = ${to} }`).join(', ')
  const maps = `virtual_alias_domains = ${ROUTED}\nvirtual_alias_maps = inline:{ ${aliases} }\n`
  const { master, port } = await startMaster(setup, maps)
  return {
    name: 'Postfix, forwarding',
    pids: [master.pid],
    load: './forward-load.ts',
    target: {
      ...{ host: '127.0.0.1', port, from: SENDER, routed: ROUTED },
      signing: { domain: SENDER_DOMAIN, selector: 'bench', key },
    },
    lastWords: () => master.lastWords(),
    [Symbol.asyncDispose]: () => master[Symbol.asyncDispose](),
  }
}

async function startMaster(
  { folder, sinkPort, signal }: PeerSetup,
  settings: string,
): Promise<{ readonly master: ServerProcess; readonly port: number }> {
  const config = join(folder, 'etc')
  const port = await freePort()
  // Its daemons run as the user postfix and must get in.
  chmodSync(folder, 0o755)
  mkdirSync(config)
  writeFileSync(join(config, 'main.cf'), mainCf(folder, sinkPort) + settings)
  writeFileSync(join(config, 'master.cf'), masterCf(port))
  // Makes the queue's folders, with the owners that Postfix wants.
  mkdirSync(join(folder, 'queue'))
  execFileSync(POSTFIX, ['-c', config, 'check'], { stdio: 'pipe' })
  const master = startServer({
    command: MASTER,
    args: ['-c', config, '-s'],
    log: join(folder, 'log'),
    signal,
  })
  const patience = { every: 20, within: READY_WITHIN_MS, signal }
  if (!(await until(() => master.ended || answers(port), patience)) || master.ended) {
    await master[Symbol.asyncDispose]()
    throw new Error(`Postfix did not start:\n${master.lastWords()}`)
  }
  return { master, port }
}

function mainCf(folder: string, sinkPort: number): string {
  return `
compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.yourdomain.com
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
default_process_limit = 200
mydestination =
alias_maps =
local_recipient_maps =
relayhost = [127.0.0.1]:${sinkPort}
smtp_tls_security_level = none
smtpd_tls_security_level = none
`
}

function masterCf(port: number): string {
  return `
127.0.0.1:${port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
`
}

function opendkimConf(folder: string, milter: string): string {
  return `
Socket local:${milter}
UMask 000
Background no
Mode s
Domain yourdomain.com
Selector bench
KeyFile ${folder}/dkim.pem
RequireSafeKeys no
Canonicalization relaxed/relaxed
SignatureAlgorithm rsa-sha256
OversignHeaders From
Syslog no
PidFile ${folder}/opendkim.pid
`
}

/** A port that was free a moment ago: master.cf cannot say "any". */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => resolve(false))
    socket.on('data', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
