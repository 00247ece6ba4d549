import type { Authentication } from '#inbound/authenticate/authentication.ts'
import { methodResults } from '#inbound/authenticate/method-results.ts'
import type { Address } from '#model/address.ts'
import type { SigningIdentity } from '#model/draft.ts'
import type { Routed } from '#model/routing.ts'
import type { ServiceNames } from '#model/service.ts'
import { SERVICE_ACCOUNT } from '#model/service-account.ts'
import type { SmtpAnswer } from '#model/smtp-answer.ts'
import { loopMark } from '#outbound/compose/loop-mark.ts'
import { formatDate } from '#outbound/compose/platform-fields.ts'
import { sealForward } from '#outbound/compose/seal-forward.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import { foreignResults, formatAuthenticationResults } from '#protocol/authentication-results.ts'
import { decodeWords } from '#protocol/encoded-word.ts'
import { withoutControls } from '#protocol/fold.ts'
import { fieldText, type HeaderBlock } from '#protocol/header-block.ts'
import type { TagKey } from '#protocol/keyed-tag.ts'
import { encodeSrs } from '#protocol/srs.ts'
import { newId } from '#store/id.ts'
import type { Forward } from './forward.ts'
import { forwardContent, headerWithout } from './forward-content.ts'
import type { Incoming, Recipient } from './incoming.ts'
import type { BodyLook } from './look-at-body.ts'

export interface SealWorld {
  readonly service: ServiceNames
  /** The key of the forwarding domain. */
  readonly serviceIdentity: () => Promise<SigningIdentity>
  readonly srsKey: TagKey
  /** Makes the marks by which a loop is known. */
  readonly loopKey: Buffer
  /** Whether forwards get an ARC set. */
  readonly sealsArc: boolean
}

// RFC 3463 X.1.7 (bad sender's mailbox address syntax).
const UNFIT: SmtpAnswer = {
  code: 550,
  enhanced: '5.1.7',
  text: 'The sender cannot be rewritten for forwarding: it is no mailbox at a domain, or too long',
}

/** A message made ready to go on to where its rule or its Worker says: signed twice, sealed, its sender rewritten, itself
 *  untouched. */
export async function prepareForward(
  world: SealWorld,
  incoming: Incoming,
  recipient: Recipient,
  of: {
    readonly routed: Routed
    readonly authentication: Authentication
    readonly body: BodyLook
    readonly tellsSender: boolean
    /** Where a Worker says; `fields` are those that it puts before the message, ready for the wire. */
    readonly onward?: { readonly destination: Address; readonly fields: string }
  },
): Promise<Forward | { readonly kind: 'refused'; readonly answer: SmtpAnswer }> {
  const [host] = world.service.routes
  const { mailFrom, session, block } = incoming
  const destination = of.onward?.destination ?? destinationOf(recipient)
  const envelopeSender = rewrittenSender(world, incoming)
  if (envelopeSender === 'unfit' || !destination) return { kind: 'refused', answer: UNFIT }
  const { way } = recipient
  const domain = way.kind === 'rule' ? way.domain : undefined
  const without = foreignResults(block, host)
  const { arc } = of.authentication
  const results = methodResults(of.authentication, session)
  const header = headerWithout(incoming.header, without)
  const service = await world.serviceIdentity()
  const seal = await sealForward(
    { header, bodyHash: of.body.hash },
    {
      received: receivedFrom(incoming, { host, recipient: recipient.to }),
      ...{ recipient: recipient.to, destination, loopMark: loopMark(recipient.to, world.loopKey) },
      ...{ at: new Date(incoming.at) },
      authenticationResults: formatAuthenticationResults(host, results),
      // A chain that DNS did not answer for would be sealed as broken for good.
      ...(world.sealsArc && !arc.undecided && { arc }),
      identities: domain ? [service, domain.signing] : [service],
    },
  )
  const prefix = of.onward ? Buffer.concat([Buffer.from(of.onward.fields), seal]) : seal
  return {
    id: newId(),
    accountId: domain?.accountId ?? SERVICE_ACCOUNT,
    domainId: domain?.domainId ?? null,
    sender: mailFrom,
    previewEnabled: domain?.previewEnabled ?? false,
    destination,
    content: forwardContent(incoming, { prefix, without, eightBit: of.body.eightBit }),
    // RFC 8689 §3 knows this one value.
    tls: textOf(block, 'tls-required')?.toLowerCase() === 'no' ? 'optional' : 'policy',
    headerMessageId: headerMessageIdOf(block),
    subject: subjectOf(block),
    forwarding: {
      envelopeSender,
      tellsSender: of.tellsSender && mailFrom !== '',
      smtpUtf8: session.protocol.startsWith('UTF8'),
      routed: of.routed,
    },
  }
}

/** MAIL FROM of the next transaction. */
export function rewrittenSender(
  { service, srsKey }: Pick<SealWorld, 'service' | 'srsKey'>,
  { mailFrom, at }: Pick<Incoming, 'mailFrom' | 'at'>,
): Address | '' | 'unfit' {
  return mailFrom === '' ? '' : encodeSrs(mailFrom, { domain: service.email, key: srsKey, now: at })
}

/** RFC 5321 §4.4, with what DNS says of the address where it leads back to it. */
function receivedFrom(
  { session, at }: Incoming,
  of: { readonly host: string; readonly recipient: Address },
): string {
  const { helo = 'unknown', hostName = 'unknown', remoteAddress, protocol, id } = session
  const literal = remoteAddress.includes(':') ? `IPv6:${remoteAddress}` : remoteAddress
  return `from ${helo} (${hostName} [${literal}]) by ${of.host} with ${protocol} id ${id} for <${of.recipient}>; ${formatDate(new Date(at))}`
}

function destinationOf({ way }: Recipient): Address | undefined {
  if (way.kind === 'return') return way.sender
  if (way.kind === 'operator') return way.operator
  if (way.rule.action.type !== 'forward') return undefined
  const address = parseAddress(way.rule.action.to)
  return isAddress(address) ? address : undefined
}

const MOST_TEXT = 998

/** For people: decoded, and no longer than anybody reads. Encoded words may hide what no store takes: NUL, halves of
 *  characters. */
export function subjectOf(block: HeaderBlock): string {
  return withoutControls(decodeWords(textOf(block, 'subject') ?? ''))
    .slice(0, MOST_TEXT)
    .toWellFormed()
}

/** As it came; '' where there is none. */
export function headerMessageIdOf(block: HeaderBlock): string {
  return withoutControls(textOf(block, 'message-id') ?? '')
    .trim()
    .slice(0, MOST_TEXT)
    .toWellFormed()
}

export function textOf(block: HeaderBlock, name: string): string | undefined {
  const field = block.fields.find((one) => one.name.toLowerCase() === name)
  return field && fieldText(field)
}
