import type { FastifyInstance } from 'fastify'
import {
  type AddressResult,
  createAddress,
  deleteAddress,
  editAddress,
  getAddress,
  listAddresses,
} from '#contract/addresses.ts'
import { pageInfo } from '#contract/paging.ts'
import type { VerificationMail } from '#outbound/notices/verification-mail.ts'
import { isAddress, parseAddress } from '#protocol/address.ts'
import { auditWrite } from '#registry/accounts/audit.ts'
import type { Destination } from '#registry/routes/destination.ts'
import type { Destinations } from '#registry/routes/destinations.ts'
import { encodeVerification, VERIFICATION_LIFE_MS } from '#registry/routes/verification-token.ts'
import { addressBody, noteStatus, resourceOf } from './address-body.ts'
import { noteRule } from './rule-body.ts'
import {
  type Answer,
  type Call,
  LACKING,
  NO_SUCH_OBJECT,
  type ServedBy,
  serveOperation,
} from './serve-operation.ts'
import { VERIFY_PATH } from './verify-address.ts'

export interface AddressesWorld extends ServedBy {
  readonly destinations: Destinations
  readonly verificationMail: VerificationMail
  readonly verificationKey: Uint8Array
  /** Where people reach this door: scheme, host and port. Never what a request says: its sender would choose where the
   *  links of our mail lead. */
  readonly publicUrl: () => string
  readonly now: () => number
}

/** `/accounts/{account_id}/email/routing/addresses`. */
export function addressRoutes(api: FastifyInstance, world: AddressesWorld): void {
  const { destinations, now } = world

  serveOperation(api, { operation: listAddresses, world }, async ({ accountId, query }) => {
    const { page, per_page: limit, verified, order, direction } = query
    const asked = { verified, order, direction, limit, offset: (page - 1) * limit }
    const { destinations: shown, total } = await destinations.list(accountId, asked)
    return { result: shown.map(addressBody), info: pageInfo(query, shown.length, total) }
  })

  serveOperation(api, { operation: createAddress, world }, (call) => create(call, world))

  serveOperation(api, { operation: getAddress, world }, async (call) =>
    answer(await destinations.destination(call.accountId, addressId(call))),
  )

  serveOperation(api, { operation: editAddress, world }, async (call) => {
    const verified = call.body.status === 'verified'
    // DECISIONS, Plans and quotas: the administrator's role or token; a member's permission to edit is not enough.
    if (verified && !call.by.principal.administrator) {
      const detail =
        'Only an administrator of the account may verify an address, with a token that has "Account Settings:Edit".'
      return { ...LACKING, detail }
    }
    const { accountId } = call
    const record = noteStatus(call.by.audit, accountId)
    return answer(await destinations.setVerified(accountId, { id: addressId(call), verified }, record))
  })

  serveOperation(api, { operation: deleteAddress, world }, async (call) => {
    const { by, accountId } = call
    const at = now()
    const switchOff = noteRule(by.audit, { accountId, at })
    const removed = await destinations.remove(accountId, addressId(call), (destination, rules) => [
      auditWrite({
        ...{ accountId, actor: by.audit, action: 'address.delete', at },
        ...{ resource: resourceOf(destination), before: addressBody(destination) },
      }),
      ...rules.flatMap((rule) =>
        switchOff({ before: rule, after: { ...rule, wanted: false, enabled: false } }),
      ),
    ])
    return answer(removed)
  })
}

/** One that is verified is answered as it is; one that is not is sent its mail again. */
async function create(
  { by, accountId, body }: Call<unknown, { readonly email: string }>,
  { destinations, verificationMail, verificationKey, publicUrl, now }: AddressesWorld,
): Promise<Answer<AddressResult>> {
  const to = parseAddress(body.email)
  if (!isAddress(to)) return { ...INVALID, detail: to.detail, pointer: '/email' }
  const at = now()
  const creation = await destinations.create(accountId, to, async (destination, isNew) => {
    if (!verificationMail.take({ accountId, to, at })) return undefined
    const { id: destinationId, verifyRound } = destination
    const expiresAt = at + VERIFICATION_LIFE_MS
    const token = encodeVerification({ destinationId, verifyRound, expiresAt }, verificationKey)
    const link = `${publicUrl()}${VERIFY_PATH}/${token}`
    const mail = await verificationMail.promise({ accountId, to, link, at })
    const line = auditWrite({
      ...{ accountId, actor: by.audit, action: 'address.create', at },
      ...{ resource: resourceOf(destination), after: addressBody(destination) },
    })
    return isNew ? [...mail, line] : mail
  })
  if (creation.kind === 'too-many') {
    const detail = `The account has ${creation.limit} destination addresses, which is the most that it can have.`
    return { ...INVALID, message: 'Too many destination addresses', detail }
  }
  if (creation.kind === 'not-asked') {
    const detail = 'This address, or this account, was sent many verification mails; try again in an hour.'
    return { status: 429, code: 10004, message: 'Throttled', detail, retryAfterS: 3600 }
  }
  if (creation.kind !== 'verified') verificationMail.promised()
  return { result: addressBody(creation.destination) }
}

const INVALID = { status: 400, code: 1001, message: 'Request body is invalid' } as const

function addressId({ params }: Pick<Call<unknown, unknown>, 'params'>): string {
  return params['destination_address_identifier']?.toLowerCase() ?? ''
}

function answer(destination: Destination | undefined): Answer<AddressResult> {
  return destination ? { result: addressBody(destination) } : NO_SUCH_OBJECT
}
