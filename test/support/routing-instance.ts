import type { EventDetail } from '#model/event.ts'
import { dotStuff } from '#protocol/dot-stuffing.ts'
import { connectSmtp } from '#smtp/client.ts'
import type { Instance } from './instance.ts'
import { storedEvents } from './stored-events.ts'

/** Whoever serves the API that `dev.json` names. */
export type Served = Pick<Instance, 'dev'>

/** Calls the API of the instance; the result of a success, or an error with its body. */
export async function api<T>(instance: Served, method: string, path: string, body?: unknown): Promise<T> {
  const { api: base, api_token: token } = instance.dev
  const response = await fetch(`${base}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const answer: { success: boolean; result: T } = JSON.parse(await response.text())
  if (!answer.success) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`)
  return answer.result
}

/** A destination address that needs no mail to be verified. */
export async function verifiedAddress(instance: Served, email: string): Promise<void> {
  const path = `/accounts/${instance.dev.account_id}/email/routing/addresses`
  const { id } = await api<{ id: string }>(instance, 'POST', path, { email })
  await api(instance, 'PATCH', `${path}/${id}`, { status: 'verified' })
}

/** Mail for `address` goes to `to`, which is verified. Out: the rule's id. */
export async function forwardRule(instance: Served, address: string, to: string): Promise<string> {
  await verifiedAddress(instance, to)
  return rule(instance, address, { type: 'forward', value: [to] })
}

export async function rule(instance: Served, address: string, action: object): Promise<string> {
  const made = await api<{ id: string }>(
    instance,
    'POST',
    `/zones/${instance.dev.zone_id}/email/routing/rules`,
    {
      actions: [action],
      matchers: [{ type: 'literal', field: 'to', value: address }],
      enabled: true,
    },
  )
  return made.id
}

/** What the owner of the domain reads about mail for an address, oldest first. */
export function eventsOf(instance: Instance, recipient: string | undefined): readonly RoutedEvent[] {
  return (
    storedEvents(instance.directory)
      // As the event's room wrote it.
      .map(({ type, detail }) => ({ type, detail: JSON.parse(detail) as EventDetail }))
      .filter(({ detail }) => detail.routed?.recipient === recipient)
  )
}

export interface RoutedEvent {
  readonly type: string
  readonly detail: EventDetail
}

/** A host whose SPF record authorises loopback. */
export const SENDER = 'someone@pass.posthorn.test'

export interface MxMail {
  readonly from?: string
  readonly to: string | readonly string[]
  readonly content: string | Buffer
}

/** One transaction at the MX door, as the world's servers make it: the deciding reply, as `250 2.0.0 Ok`, preceded by
 *  the recipients that were refused while others were taken. */
export async function toMx(instance: Instance, { from = SENDER, to, content }: MxMail): Promise<string> {
  const { host, port } = instance.dev.mx
  const connection = await connectSmtp({
    ...{ host, address: host, port, ehloName: 'mail.pass.posthorn.test', tls: 'opportunistic' },
  })
  if (!connection.ok) throw new Error(`no connection: ${connection.detail}`)
  const octets = typeof content === 'string' ? Buffer.from(content.replaceAll(/\r?\n/g, '\r\n')) : content
  const result = await connection.transact({
    mailFrom: from,
    rcptTo: to,
    content: {
      dotStuffed: dotStuff(octets),
      size: octets.length,
      eightBit: /[\u0080-\u00ff]/.test(octets.toString('latin1')),
      smtpUtf8: false,
    },
  })
  await connection.quit()
  if (result.kind === 'lost') return `lost: ${result.phase}`
  const refused = result.kind === 'accepted' ? result.refused : []
  return [
    ...refused.map(({ rcptTo, reply }) => `${rcptTo}: ${reply.code} ${reply.enhanced}`),
    `${result.reply.code} ${result.reply.enhanced} ${result.reply.text}`,
  ].join('; ')
}
