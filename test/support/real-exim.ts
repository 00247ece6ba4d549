import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  countFiles,
  freePort,
  mtaCertificate,
  mtaFolder,
  type RealMta,
  readMaildir,
  startDaemon,
} from './real-mta.ts'

/** Where the package puts it, and where `.ci/run` unpacks the package beside Postfix, with which it cannot be
 *  installed. */
const PLACES = ['/usr/sbin/exim4', '/opt/exim4-daemon-light/usr/sbin/exim4']
/** Compiled in. The package makes it; `.ci/run` does where the package is only unpacked. */
const USER = 'Debian-exim'

/** The `skip` of a test. */
export function withoutExim(): false | string {
  if (!PLACES.some((path) => existsSync(path)))
    return 'Exim is not installed; the Debian package is exim4-daemon-light'
  if (spawnSync('id', [USER]).status !== 0) return `Exim has no user ${USER}, which exim4-daemon-light brings`
  return process.getuid?.() === 0 ? false : 'Exim takes a configuration of its own from root only'
}

export interface EximOptions {
  /** A port that was free a moment ago, where others had to know it before. */
  readonly port?: number
  /** Instead of taking everybody's mail it sends that of all but one domain on, over TLS, to a port of this machine. */
  readonly sendsOn?: { readonly domain: string; readonly toPort: number }
}

export async function startExim({ sendsOn, ...options }: EximOptions = {}): Promise<RealMta> {
  const exim = PLACES.find((path) => existsSync(path)) ?? ''
  await using starting = new AsyncDisposableStack()
  const { path: folder } = starting.use(mtaFolder('exim'))
  chmodSync(folder, 0o755)
  const config = join(folder, 'exim.conf')
  const { cert, key } = await mtaCertificate()
  const port = options.port ?? (await freePort())
  for (const name of ['spool', 'mail']) {
    mkdirSync(join(folder, name))
    spawnSync('chown', [`${USER}:${USER}`, join(folder, name)])
  }
  writeFileSync(join(folder, 'cert.pem'), cert)
  writeFileSync(join(folder, 'key.pem'), key, { mode: 0o640 })
  spawnSync('chown', [`root:${USER}`, join(folder, 'key.pem')])
  writeFileSync(config, configuration({ folder, port, exim, sendsOn }), { mode: 0o644 })
  const server = starting.use(
    await startDaemon({
      command: exim,
      args: ['-C', config, '-bdf'],
      log: join(folder, 'exim.log'),
      port,
    }),
  )
  const running = starting.move()
  return {
    port,
    stored: () =>
      readMaildir(join(folder, 'mail/box'), { returnPath: 'Return-path', recipient: 'Envelope-to' }),
    queued: () => countFiles(join(folder, 'spool'), '-H'),
    lastWords: () => server.lastWords(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** Deliveries run as its own user: Exim gives up root before it reads a configuration that was named to it by anyone
 *  else. Its own DKIM check would ask the network's DNS. */
function configuration(of: {
  readonly folder: string
  readonly port: number
  readonly exim: string
  readonly sendsOn: EximOptions['sendsOn']
}): string {
  const { folder, port, exim, sendsOn } = of
  return `
exim_path = ${exim}
primary_hostname = mail.${sendsOn?.domain ?? 'example'}
spool_directory = ${folder}/spool
log_file_path = ${folder}/spool/%slog
pid_file_path = ${folder}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = ${port}
deliver_drop_privilege
keep_environment =
rfc1413_hosts =
smtp_accept_max = 100
smtp_accept_queue_per_connection = 0
tls_advertise_hosts = *
tls_certificate = ${folder}/cert.pem
tls_privatekey = ${folder}/key.pem
acl_smtp_rcpt = take

begin acl
take:
  accept control = dkim_disable_verify

begin routers
${sendsOn ? elsewhere(sendsOn.domain) : ''}
everyone:
  driver = accept
  transport = box

begin transports
${sendsOn ? onward(sendsOn.toPort) : ''}
box:
  driver = appendfile
  directory = ${folder}/mail/box
  maildir_format
  create_directory
  return_path_add
  envelope_to_add
  user = ${USER}
  group = ${USER}
`
}

function elsewhere(domain: string): string {
  return `
elsewhere:
  driver = manualroute
  domains = !${domain}
  route_list = * 127.0.0.1
  self = send
  transport = onward
  no_more
`
}

function onward(port: number): string {
  return `
onward:
  driver = smtp
  port = ${port}
  hosts_require_tls = *
  tls_verify_hosts =
  tls_try_verify_hosts =
`
}
