import { z } from 'zod'
import { operation } from './operation.ts'
import { pageQuery } from './paging.ts'

/** Destination addresses (api-routing-addresses.md). */
const address = z
  .object({
    id: z.string(),
    /** The id, under its older name. */
    tag: z.string(),
    email: z.string(),
    created: z.string(),
    modified: z.string(),
    /** Null until its owner has answered the verification mail. */
    verified: z.string().nullable(),
  })
  .meta({ id: 'DestinationAddress' })

export type AddressResult = z.output<typeof address>

const ADDRESSES = '/accounts/{account_id}/email/routing/addresses'
const EDIT = { permission: 'Email Routing Addresses:Edit', scope: 'account' } as const
const READ = { permission: 'Email Routing Addresses:Read', scope: 'account' } as const

export const listAddresses = operation({
  ...READ,
  id: 'addresses.list',
  method: 'GET',
  path: ADDRESSES,
  summary: 'Lists the destination addresses of an account.',
  query: pageQuery.extend({
    direction: z.enum(['asc', 'desc'], '"asc" or "desc"').default('asc'),
    order: z.enum(['created', 'modified', 'email'], '"created", "modified" or "email"').default('created'),
    verified: z
      .enum(['true', 'false'], '"true" or "false"')
      .transform((text) => text === 'true')
      .optional(),
  }),
  result: z.array(address),
  paging: 'pages',
})

export const createAddress = operation({
  ...EDIT,
  id: 'addresses.create',
  method: 'POST',
  path: ADDRESSES,
  summary:
    'Adds a destination address and mails it a link that verifies it; again for one that is not verified yet.',
  body: z.object({ email: z.string() }).meta({ examples: [{ email: 'me@example.com' }] }),
  result: address,
})

export const getAddress = operation({
  ...READ,
  id: 'addresses.get',
  method: 'GET',
  path: `${ADDRESSES}/{destination_address_identifier}`,
  summary: 'Gets a destination address.',
  result: address,
})

export const editAddress = operation({
  ...EDIT,
  id: 'addresses.edit',
  method: 'PATCH',
  path: `${ADDRESSES}/{destination_address_identifier}`,
  summary: 'Takes the verification of an address back, or, for administrators, verifies it.',
  body: z
    .object({ status: z.enum(['unverified', 'verified'], '"unverified" or "verified"') })
    .meta({ examples: [{ status: 'unverified' }] }),
  result: address,
})

export const deleteAddress = operation({
  ...EDIT,
  id: 'addresses.delete',
  method: 'DELETE',
  path: `${ADDRESSES}/{destination_address_identifier}`,
  summary: 'Deletes a destination address, and switches off the rules that forward to it.',
  result: address,
})

export const addressOperations = [listAddresses, createAddress, getAddress, editAddress, deleteAddress]
