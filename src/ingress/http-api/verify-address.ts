import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import type { Destination } from '#registry/routes/destination.ts'
import type { Destinations } from '#registry/routes/destinations.ts'
import { decodeVerification } from '#registry/routes/verification-token.ts'
import { noteStatus } from './address-body.ts'
import { VERIFY_PAGE_CSP, type VerifyState, verifyPage } from './verify-address-page.ts'

export interface VerifyAddressWorld {
  readonly destinations: Pick<Destinations, 'asked' | 'confirm'>
  readonly verificationKey: Uint8Array
  readonly now: () => number
}

/** Where the link of a verification mail leads. */
export const VERIFY_PATH = '/verify-address'

const params = z.object({ token: z.string() })

/** The page behind the link. GET shows a button and changes nothing, so that whatever follows links in mail (scanners,
 *  previews) verifies nothing; POST verifies. The token is all that counts: who has it reads the address's mail. */
export function verifyAddressRoutes(app: FastifyInstance, world: VerifyAddressWorld): void {
  const { destinations } = world
  const path = `${VERIFY_PATH}/:token`

  app.get(path, async (request, reply) => {
    const found = await look(params.parse(request.params).token, world)
    return show(reply, found)
  })

  app.post(path, { bodyLimit: 1024 }, async (request, reply) => {
    const { token } = params.parse(request.params)
    const found = await look(token, world)
    if (found.state !== 'open') return show(reply, found)
    const { accountId, destination } = found
    const confirmed = await destinations.confirm(accountId, destination, noteStatus('system', accountId))
    // Lost to somebody else: to another click, or to whoever took the proof back or deleted the address.
    return show(reply, confirmed ? { ...found, state: 'verified' } : await look(token, world))
  })
}

type Found =
  | {
      readonly state: 'open' | 'verified'
      readonly accountId: string
      readonly destination: Destination
    }
  | { readonly state: 'expired' | 'invalid' }

async function look(
  text: string,
  { destinations, verificationKey, now }: VerifyAddressWorld,
): Promise<Found> {
  const token = decodeVerification(text, verificationKey)
  if (!token) return { state: 'invalid' }
  const found = await destinations.asked(token.destinationId)
  // Deleted, or unverified again since: the mail asked for something that nobody wants any more.
  if (found?.destination.verifyRound !== token.verifyRound) return { state: 'invalid' }
  if (found.destination.verifiedAt !== null) return { state: 'verified', ...found }
  return token.expiresAt <= now() ? { state: 'expired' } : { state: 'open', ...found }
}

const STATUS = { open: 200, verified: 200, expired: 410, invalid: 404 } as const satisfies Record<
  VerifyState,
  number
>

function show(reply: FastifyReply, found: Found): FastifyReply {
  const address = 'destination' in found ? found.destination.email : ''
  return (
    reply
      .code(STATUS[found.state])
      .header('content-security-policy', VERIFY_PAGE_CSP)
      // Not `no-referrer`, by which browsers take the form's Origin away.
      .header('referrer-policy', 'same-origin')
      .header('cache-control', 'no-store')
      .header('x-robots-tag', 'noindex')
      .type('text/html; charset=utf-8')
      .send(verifyPage(found.state, address))
  )
}
