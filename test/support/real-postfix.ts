import { execFileSync } from 'node:child_process'
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

/** Postfix, and postgrey before it where asked for. */

const MASTER = '/usr/lib/postfix/sbin/master'
const POSTFIX = '/usr/sbin/postfix'
const POSTGREY = '/usr/sbin/postgrey'
/** virtual(8) delivers as nobody. */
const NOBODY = 65_534

/** The `skip` of a test. */
export function withoutPostfix(): false | string {
  if (!existsSync(MASTER) || !existsSync(POSTFIX))
    return 'Postfix is not installed; the Debian package is postfix'
  return process.getuid?.() === 0 ? false : 'the master of Postfix starts as root only'
}

/** The `skip` of a test. */
export function withoutPostgrey(): false | string {
  return existsSync(POSTGREY) ? withoutPostfix() : 'postgrey is not installed; the Debian package is postgrey'
}

export interface PostfixOptions {
  /** Seconds for which postgrey puts off whom it does not know. */
  readonly greylistSeconds?: number
  /** A port that was free a moment ago, where others had to know it before. */
  readonly port?: number
  /** Parameters of postconf(5), before those that are set here. */
  readonly settings?: Readonly<Record<string, string>>
}

export async function startPostfix(options: PostfixOptions = {}): Promise<RealMta> {
  const { greylistSeconds, settings } = options
  await using starting = new AsyncDisposableStack()
  const { path: folder } = starting.use(mtaFolder('postfix'))
  chmodSync(folder, 0o755)
  const policyPort =
    greylistSeconds === undefined ? undefined : await startPostgrey(folder, greylistSeconds, starting)
  const config = join(folder, 'etc')
  const mail = join(folder, 'mail')
  const log = join(folder, 'postfix.log')
  const { cert, key } = await mtaCertificate()
  const port = options.port ?? (await freePort())
  mkdirSync(config)
  mkdirSync(mail)
  chmodSync(mail, 0o777)
  mkdirSync(join(folder, 'queue'))
  writeFileSync(join(folder, 'cert.pem'), cert)
  writeFileSync(join(folder, 'key.pem'), key, { mode: 0o600 })
  writeFileSync(join(config, 'main.cf'), mainCf(folder, { policyPort, settings }))
  writeFileSync(join(config, 'master.cf'), masterCf(port))
  // Makes the queue's folders, with the owners that Postfix wants.
  execFileSync(POSTFIX, ['-c', config, 'check'], { stdio: 'pipe' })
  const server = starting.use(await startDaemon({ command: MASTER, args: ['-c', config, '-s'], log, port }))
  const running = starting.move()
  return {
    port,
    stored: () =>
      readMaildir(join(mail, 'box'), {
        returnPath: 'Return-Path',
        recipient: 'Delivered-To',
        also: ['X-Original-To', 'X-Greylist'],
      }),
    queued: () =>
      ['maildrop', 'incoming', 'active', 'deferred']
        .map((name) => countFiles(join(folder, 'queue', name)))
        .reduce((sum, count) => sum + count, 0),
    lastWords: () => server.lastWords(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** Knows nobody and stays so: its lists are empty, and no client gets on them by having come back. */
async function startPostgrey(
  folder: string,
  seconds: number,
  starting: AsyncDisposableStack,
): Promise<number> {
  const database = join(folder, 'postgrey')
  const nobody = join(folder, 'nobody-is-known')
  const port = await freePort()
  mkdirSync(database)
  writeFileSync(nobody, '')
  execFileSync('chown', ['postgrey:postgrey', database])
  starting.use(
    await startDaemon({
      command: POSTGREY,
      args: [
        `--inet=127.0.0.1:${port}`,
        `--dbdir=${database}`,
        `--delay=${seconds}`,
        '--auto-whitelist-clients=0',
        `--whitelist-clients=${nobody}`,
        `--whitelist-recipients=${nobody}`,
        '--hostname=mail.example',
      ],
      log: join(folder, 'postgrey.log'),
      port,
    }),
  )
  return port
}

/** Defaults but for the place, and for what makes a client of this very machine a stranger. */
function mainCf(
  folder: string,
  of: { readonly policyPort: number | undefined; readonly settings: PostfixOptions['settings'] },
): string {
  const { policyPort, settings } = of
  const policy = policyPort === undefined ? '' : `, check_policy_service inet:127.0.0.1:${policyPort}`
  const parameters = {
    compatibility_level: '3.6',
    queue_directory: `${folder}/queue`,
    data_directory: `${folder}/data`,
    mail_owner: 'postfix',
    setgid_group: 'postdrop',
    myhostname: 'mail.example',
    inet_interfaces: '127.0.0.1',
    inet_protocols: 'ipv4',
    mynetworks: '192.0.2.1/32',
    local_header_rewrite_clients: '',
    smtpd_peername_lookup: 'no',
    mydestination: '',
    alias_maps: '',
    virtual_mailbox_domains: 'static:all',
    virtual_mailbox_maps: 'static:box/',
    virtual_mailbox_base: `${folder}/mail`,
    virtual_uid_maps: `static:${NOBODY}`,
    virtual_gid_maps: `static:${NOBODY}`,
    default_transport: 'error:nothing leaves this machine',
    smtpd_tls_security_level: 'may',
    smtpd_tls_cert_file: `${folder}/cert.pem`,
    smtpd_tls_key_file: `${folder}/key.pem`,
    smtpd_tls_received_header: 'yes',
    smtpd_recipient_restrictions: `reject_unauth_destination${policy}`,
    ...settings,
  }
  const lines = Object.entries(parameters).map(([name, value]) => `${name} = ${value}\n`)
  return lines.join('')
}

function masterCf(port: number): string {
  return `
127.0.0.1:${port} inet n - n - - smtpd
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
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
smtp unix - - n - - smtp
anvil unix - - n - 1 anvil
`
}
