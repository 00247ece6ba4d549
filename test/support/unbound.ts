import { type ChildProcess, spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { dig } from './dig.ts'

export interface Unbound extends AsyncDisposable {
  readonly port: number
}

/** A resolver that is not ours: it asks this server for these zones, as an iterator asks an authoritative server, and
 *  nobody for anything else. */
export async function startUnbound(options: {
  readonly folder: string
  readonly server: number
  readonly zones: readonly string[]
}): Promise<Unbound> {
  const { folder, server, zones } = options
  const port = await freePort()
  const file = join(folder, 'unbound.conf')
  const stubs = zones.map(
    (zone) => `stub-zone:\n  name: "${zone}"\n  stub-addr: 127.0.0.1@${server}\n  stub-prime: no\n`,
  )
  writeFileSync(
    file,
    `server:
  interface: 127.0.0.1@${port}
  do-ip6: no
  do-daemonize: no
  do-not-query-localhost: no
  use-syslog: no
  chroot: ""
  username: ""
  directory: "${folder}"
  pidfile: "${join(folder, 'unbound.pid')}"
  module-config: "iterator"
  num-threads: 1
  qname-minimisation: yes
  use-caps-for-id: yes
  local-zone: "test." nodefault
  access-control: 127.0.0.0/8 allow
remote-control:
  control-enable: no
${stubs.join('')}`,
  )
  const child = spawn('unbound', ['-d', '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const stop = () => stopped(child)
  for (let tries = 0; !said.includes('start of service'); tries++) {
    if (child.exitCode !== null || tries > 200) {
      await stop()
      throw new Error(`unbound did not start: ${said}`)
    }
    await sleep(25)
  }
  await dig(port, 'localhost', 'A')
  return { port, [Symbol.asyncDispose]: stop }
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  await ended
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  return port
}
