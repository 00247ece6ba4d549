import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DevJson, devJson } from '#contract/dev-json.ts'
import { type ServerProcess, startServer } from './server-process.ts'
import type { Peer, PeerSetup } from './stage.ts'
import { until } from './until.ts'

const CLI = new URL('../cli/posthorn.ts', import.meta.url).pathname
const READY_WITHIN_MS = 30_000

/** Where the load goes in: the REST API, or SMTP submission over implicit TLS with AUTH. */
export type PosthornDoor = 'rest' | 'submission'

/** A development instance with an empty store, whose every outside name has the sink as its MX.
 *  `nodeOptions` reach its processes as NODE_OPTIONS. */
export async function startPosthorn(door: PosthornDoor, setup: PeerSetup, nodeOptions = ''): Promise<Peer> {
  const { server, instance } = await launchPosthorn(setup, nodeOptions)
  return posthornPeer(server, door === 'rest' ? restDoor(instance) : submissionDoor(instance))
}

export function posthornPeer(server: ServerProcess, door: Pick<Peer, 'load' | 'target'>): Peer {
  return {
    name: 'Posthorn',
    pids: [server.pid],
    ...door,
    lastWords: () => server.lastWords(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}

export async function launchPosthorn(
  setup: PeerSetup,
  nodeOptions = '',
): Promise<{ readonly server: ServerProcess; readonly instance: DevJson }> {
  const data = join(setup.folder, 'data')
  const server = startServer({
    command: process.execPath,
    args: [CLI, 'dev'],
    env: {
      NODE_OPTIONS: nodeOptions,
      POSTHORN_DATA: data,
      POSTHORN_HTTP_PORT: '0',
      POSTHORN_SUBMISSION_PORT: '0',
      POSTHORN_MX_PORT: '0',
      POSTHORN_DNS_PORT: '0',
      POSTHORN_WORKERS_PORT: '0',
      POSTHORN_DEV_SINK: `127.0.0.1:${setup.sinkPort}`,
    },
    log: join(setup.folder, 'posthorn.log'),
    signal: setup.signal,
  })
  try {
    const ready = join(data, 'dev.json')
    const patience = { every: 20, within: READY_WITHIN_MS, signal: setup.signal }
    if (!(await until(() => server.ended || existsSync(ready), patience)) || server.ended) {
      throw new Error(`Posthorn did not open its doors:\n${server.lastWords()}`)
    }
    return { server, instance: devJson.parse(JSON.parse(readFileSync(ready, 'utf8'))) }
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
}

function restDoor(instance: DevJson): Pick<Peer, 'load' | 'target'> {
  const api = new URL(instance.api)
  return {
    load: './rest-load.ts',
    target: {
      host: api.hostname,
      port: Number(api.port),
      path: `${api.pathname}/accounts/${instance.account_id}/email/sending/send`,
      token: instance.api_token,
    },
  }
}

function submissionDoor({ submission, ca, api_token }: DevJson): Pick<Peer, 'load' | 'target'> {
  const { host, port, username } = submission
  return {
    load: './smtp-load.ts',
    target: { host, port, ca, login: { username, password: api_token } },
  }
}
