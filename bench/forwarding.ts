import { generateKeyPairSync } from 'node:crypto'
import type { DevJson } from '#contract/dev-json.ts'
import { deployWorker } from '#test/deploy-worker.ts'
import { api, forwardRule, rule, verifiedAddress } from '#test/routing-instance.ts'
import type { ForwardJob } from './forward-load.ts'
import { ROUTED_DOMAINS } from './message.ts'
import { launchPosthorn, posthornPeer } from './posthorn.ts'
import type { Peer, PeerSetup } from './stage.ts'

/** What a forwarder is asked to do: mail of this sender to these addresses goes on to those. */
export const SENDER = 'someone@sender.example'
export const SENDER_DOMAIN = 'sender.example'
export const ROUTED = 'yourdomain.com'
export const ROUTES: readonly (readonly [from: string, to: string])[] = Array.from(
  { length: ROUTED_DOMAINS },
  (_, n) => [`to${n}@${ROUTED}`, `box@bench0${n}.example`],
)

/** A development instance with a rule for each of the routes, and in its DNS the sender: SPF that authorises loopback, the
 *  key of its signatures, DMARC with p=reject. It authenticates each message, signs it twice, seals it (ARC), rewrites
 *  its sender, and answers when the sink has. */
export function startForwarding(setup: PeerSetup, nodeOptions = ''): Promise<Peer> {
  return startRouted(setup, nodeOptions, async (dev) => {
    for (const [from, to] of ROUTES) await forwardRule({ dev }, from, to)
  })
}

/** The same, and a Worker stands between: each of the routes is a rule to it, and it forwards with `forward()`, which it
 *  awaits. */
export function startWorkerForwarding(setup: PeerSetup, nodeOptions = ''): Promise<Peer> {
  return startRouted(setup, nodeOptions, async (dev) => {
    const code = `const ROUTES = new Map(${JSON.stringify(ROUTES)})
      export default { async email(message) { await message.forward(ROUTES.get(message.to)) } }`
    await deployWorker({ dev }, WORKER, { modules: { 'index.js': code } })
    for (const [from, to] of ROUTES) {
      await verifiedAddress({ dev }, to)
      await rule({ dev }, from, { type: 'worker', value: [WORKER] })
    }
  })
}

const WORKER = 'forwards'

async function startRouted(
  setup: PeerSetup,
  nodeOptions: string,
  route: (dev: DevJson) => Promise<void>,
): Promise<Peer> {
  const { server, instance: dev } = await launchPosthorn(setup, nodeOptions)
  try {
    const signing = await publishSender(dev)
    await route(dev)
    const target = { ...dev.mx, from: SENDER, routed: ROUTED, signing }
    return posthornPeer(server, { load: './forward-load.ts', target })
  } catch (error) {
    await server[Symbol.asyncDispose]()
    throw error
  }
}

async function publishSender(dev: DevJson): Promise<ForwardJob['signing']> {
  const zone = await api<{ id: string }>({ dev }, 'POST', '/zones', {
    account: { id: dev.account_id },
    name: SENDER_DOMAIN,
    type: 'full',
  })
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const records = {
    '@': 'v=spf1 ip4:127.0.0.1 -all',
    _dmarc: 'v=DMARC1; p=reject',
    'bench._domainkey': `v=DKIM1; k=rsa; p=${key}`,
  }
  for (const [name, content] of Object.entries(records)) {
    const record = { type: 'TXT', name, content, ttl: 60 }
    await api({ dev }, 'POST', `/zones/${zone.id}/dns_records`, record)
  }
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  return { domain: SENDER_DOMAIN, selector: 'bench', key: pem }
}
