import type { Server } from 'node:net'

/** Where a development door listens (DESIGN: 127.0.0.1 and ::1 only). */
export const LOOPBACK = ['127.0.0.1', '::1'] as const

/** One listening socket, or several that share a port. */
export interface Listening {
  readonly port: number
  close(): Promise<void>
}

/** Opens one socket. Rejects with the system's error: `EADDRINUSE` and its kin. */
export type Bind = (host: string, port: number) => Promise<Listening>

/** A port that could not be had. The message is for the person who starts the service. */
export class PortUnavailable extends Error {
  override readonly name = 'PortUnavailable'
}

export interface ListenOptions {
  /** What the door is called in errors: `the MX`. */
  readonly door: string
  /** The setting that changes the port: `POSTHORN_MX_PORT`. */
  readonly variable: string
  /** 0 takes any port that is free on every host. */
  readonly port: number
  /** Both loopback addresses unless an operator configured others. */
  readonly hosts?: readonly string[]
}

// Any free port of the first host may be taken on the second; so may the next one, but not so often.
const ANY_PORT_TRIES = 20

/** Binds one port on every host, all or none. A machine without IPv6 goes without its IPv6 hosts, as long as one host
 *  is left. Throws PortUnavailable, or the system's error for a host that is not this machine's. */
export async function listenLoopback(bind: Bind, options: ListenOptions): Promise<Listening> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await bindAll(bind, options.hosts ?? LOOPBACK, options.port)
    } catch (error) {
      const code = errorCode(error)
      if (code === 'EADDRINUSE' && options.port === 0 && attempt < ANY_PORT_TRIES) continue
      throw unavailable(code, options, error) ?? error
    }
  }
}

/** Binds a TCP server of Node (`net`, `tls`, `http`): each server listens once, so `create` makes one for each host. */
export function bindServer(create: () => Server): Bind {
  return async (host, port) => {
    const server = create()
    // An IPv6 socket that took IPv4 too would collide with its neighbour on 0.0.0.0.
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, ipv6Only: true }, () => {
        server.removeListener('error', reject)
        resolve()
      })
    })
    const address = server.address()
    if (address === null || typeof address === 'string') throw new TypeError('a TCP server has a port')
    return { port: address.port, close: () => closeServer(server) }
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve, reject) => server.close((error) => (error ? reject(error) : resolve())))
}

async function bindAll(bind: Bind, hosts: readonly string[], port: number): Promise<Listening> {
  const open: Listening[] = []
  const close = async () => {
    await Promise.all(open.map((listening) => listening.close()))
  }
  let absent: unknown
  for (const host of hosts) {
    try {
      open.push(await bind(host, open[0]?.port ?? port))
    } catch (error) {
      if (isIpv6Absent(host, error)) {
        absent = error
        continue
      }
      await close()
      throw error
    }
  }
  const [first] = open
  if (!first) throw absent
  return { port: first.port, close }
}

function isIpv6Absent(host: string, error: unknown): boolean {
  const code = errorCode(error)
  return host.includes(':') && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')
}

function unavailable(code: string | undefined, options: ListenOptions, cause: unknown) {
  const { door, port, variable } = options
  const advice = `set ${variable} to another port, or to 0 for any free one`
  if (code === 'EADDRINUSE')
    return new PortUnavailable(`Port ${port} of ${door} is in use: ${advice}.`, { cause })
  if (code === 'EACCES')
    return new PortUnavailable(`Port ${port} of ${door} needs a privilege: ${advice}.`, { cause })
  return undefined
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
