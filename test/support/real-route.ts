import { generateKeyPairSync } from 'node:crypto'
import type { SigningIdentity } from '#model/draft.ts'
import { dotStuff } from '#protocol/dot-stuffing.ts'
import { connectSmtp } from '#smtp/client.ts'
import { type Instance, startInstance } from './instance.ts'
import { startExim } from './real-exim.ts'
import { freePort, type RealMta } from './real-mta.ts'
import { type PostfixOptions, startPostfix } from './real-postfix.ts'
import { api, type Served } from './routing-instance.ts'

/** An instance between two mail servers that nobody here wrote. The origin hands all that its users write to the MX door,
 *  and keeps what comes back for them; the destination gets what the instance sends to anybody, and finds the way to
 *  the instance's rewritten addresses and to the origin's users. */
export interface RealRoute extends AsyncDisposable {
  readonly instance: Instance
  readonly origin: RealMta
  readonly destination: RealMta
  /** Of the origin's domain, its key in DNS. */
  readonly signing: SigningIdentity
  /** As a user of the origin writes it. */
  write(content: Buffer, to: string | readonly string[]): Promise<void>
}

/** A domain in DNS whose SPF record authorises loopback, and whose DMARC policy is `reject`. */
export const ORIGIN = 'sender.example'
export const WRITER = `someone@${ORIGIN}`

export interface RealRouteOptions {
  readonly origin: 'postfix' | 'exim'
  readonly destination?: Pick<PostfixOptions, 'greylistSeconds'>
  readonly environment?: Readonly<Record<string, string>>
}

export async function startRealRoute({ environment, ...options }: RealRouteOptions): Promise<RealRoute> {
  await using starting = new AsyncDisposableStack()
  const ports = { origin: await freePort(), destination: await freePort() }
  const instance = starting.use(
    await startInstance({ POSTHORN_DEV_SINK: `127.0.0.1:${ports.destination}`, ...environment }),
  )
  const { port: mxPort } = instance.dev.mx
  const signing = await publishOrigin(instance)
  const destination = starting.use(
    await startPostfix({
      ...options.destination,
      port: ports.destination,
      settings: destinationSettings({ mxPort, originPort: ports.origin }),
    }),
  )
  const origin = starting.use(
    options.origin === 'exim'
      ? await startExim({ port: ports.origin, sendsOn: { domain: ORIGIN, toPort: mxPort } })
      : await startPostfix({ port: ports.origin, settings: originSettings(mxPort) }),
  )
  const running = starting.move()
  return {
    ...{ instance, origin, destination, signing },
    write: (content, to) => write(origin.port, content, to),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** The origin's domain is in the DNS of the instance, where its verifiers and those of the destination look. */
async function publishOrigin(instance: Served): Promise<SigningIdentity> {
  const zone = await api<{ id: string }>(instance, 'POST', '/zones', {
    account: { id: instance.dev.account_id },
    name: ORIGIN,
    type: 'full',
  })
  const { privateKey: key, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const octets = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
  const selector = 'origin'
  const records = [
    // Of the outside world, like that of every name which is not here.
    { type: 'MX', name: '@', content: 'sandbox.posthorn.test', priority: 10 },
    { type: 'TXT', name: '@', content: 'v=spf1 ip4:127.0.0.1 -all' },
    { type: 'TXT', name: '_dmarc', content: 'v=DMARC1; p=reject' },
    { type: 'TXT', name: `${selector}._domainkey`, content: `v=DKIM1; k=rsa; p=${octets}` },
  ]
  for (const record of records)
    await api(instance, 'POST', `/zones/${zone.id}/dns_records`, { ttl: 60, ...record })
  return { domain: ORIGIN, selector, key }
}

function originSettings(mxPort: number): Readonly<Record<string, string>> {
  return {
    myhostname: `mail.${ORIGIN}`,
    mynetworks: '127.0.0.0/8',
    virtual_mailbox_domains: ORIGIN,
    relayhost: `[127.0.0.1]:${mxPort}`,
    default_transport: 'smtp',
    relay_transport: 'smtp',
    smtp_tls_security_level: 'may',
    smtpd_recipient_restrictions: 'permit_mynetworks, reject_unauth_destination',
  }
}

/** Who lives at the destination, besides everybody. */
export const GONE = 'gone@destination.example'
/** It is taken, and cannot be delivered behind that. */
export const BOUNCES = 'bounces@destination.example'
export const GONE_TEXT = 'Nobody of that name has ever lived here'
export const UNWANTED_TEXT = 'Such subjects are not read here'

function destinationSettings(of: { readonly mxPort: number; readonly originPort: number }) {
  const inline = (entries: Readonly<Record<string, string>>) =>
    `inline:{ ${Object.entries(entries)
      .map(([key, value]) => `{ ${key} = ${value} }`)
      .join(', ')} }`
  return {
    smtp_tls_security_level: 'may',
    transport_maps: inline({
      'email.posthorn.test': `smtp:[127.0.0.1]:${of.mxPort}`,
      [ORIGIN]: `smtp:[127.0.0.1]:${of.originPort}`,
      'inside.example': 'error:5.1.1 The mailbox behind this alias is gone',
    }),
    virtual_alias_maps: inline({ [BOUNCES]: 'nobody@inside.example' }),
    // Looked at with each recipient all the same.
    smtpd_sender_restrictions: `check_recipient_access ${inline({ [GONE]: `550 5.1.1 ${GONE_TEXT}` })}`,
    header_checks: `regexp:{ { /^Subject:.*unwanted/ REJECT 5.7.1 ${UNWANTED_TEXT} } }`,
  }
}

async function write(port: number, content: Buffer, to: string | readonly string[]): Promise<void> {
  const connection = await connectSmtp({
    ...{ host: 'mail.example', address: '127.0.0.1', port, ehloName: 'desk.example', tls: 'none' },
  })
  if (!connection.ok) throw new Error(`no connection: ${connection.detail}`)
  const text = content.toString('latin1')
  const result = await connection.transact({
    mailFrom: WRITER,
    rcptTo: to,
    content: {
      dotStuffed: dotStuff(content),
      size: content.length,
      eightBit: /[\u0080-\u00ff]/.test(text),
      smtpUtf8: false,
    },
  })
  await connection.quit()
  if (result.kind !== 'accepted') throw new Error(`not taken: ${JSON.stringify(result)}`)
}
