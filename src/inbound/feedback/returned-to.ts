import { type Address, domainOf, localPartOf } from '#model/address.ts'
import type { TagKey } from '#protocol/keyed-tag.ts'
import { decodeReturnPath } from '#protocol/return-path.ts'
import type { Store } from '#store/store.ts'
import { deliveryById, type KnownDelivery } from './known-delivery.ts'

/** What an address at a return-path domain stands for. */
export type ReturnedTo =
  /** The return path of one delivery. */
  | { readonly kind: 'return-path'; readonly delivery: KnownDelivery }
  /** Where complaints go; `domain` is the return-path domain whose mail they may be about, undefined for all. */
  | { readonly kind: 'complaints'; readonly domain: string | undefined }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'expired' }

/** An address that takes mail. */
export type FeedbackAddress = Extract<ReturnedTo, { kind: 'return-path' | 'complaints' }>

export interface AddressWorld {
  readonly store: Store
  /** Every version that tags may still have. */
  readonly returnPathKeys: readonly TagKey[]
  /** Domain of return paths and complaints that belongs to no customer. */
  readonly serviceDomain: string
  /** Whether return paths at this domain (lower-case A-labels) lead to us. */
  readonly isReturnPathDomain: (domain: string) => Promise<boolean>
  readonly now: () => number
  readonly tagLifeMs?: number
}

/** Local part of every CFBL-Address (`outbound/accept/platform-headers.ts`). */
const COMPLAINTS = 'fbl'

/** A host may try for five days before it reports, and complaints come when somebody tidies up. */
const TAG_LIFE_MS = 60 * 86_400_000

/** Undefined for an address that is not at a return-path domain of ours. */
export async function readReturnAddress(
  address: Address,
  world: AddressWorld,
): Promise<ReturnedTo | undefined> {
  const domain = domainOf(address)
  if (!(await world.isReturnPathDomain(domain))) return undefined
  if (localPartOf(address).toLowerCase() === COMPLAINTS) {
    return { kind: 'complaints', domain: domain === world.serviceDomain ? undefined : domain }
  }
  const delivery = await taggedDelivery(address, world)
  if (!delivery) return { kind: 'unknown' }
  return isExpired(delivery, world) ? { kind: 'expired' } : { kind: 'return-path', delivery }
}

/** The delivery whose return path this is: made with one of our keys, and at the domain at which it was made. */
export async function taggedDelivery(
  address: Address,
  world: AddressWorld,
): Promise<KnownDelivery | undefined> {
  const id = decodeReturnPath(localPartOf(address), world.returnPathKeys)
  const delivery = id === undefined ? undefined : await deliveryById(world.store, id)
  return delivery?.message.returnPathDomain === domainOf(address) ? delivery : undefined
}

/** A tag carries no time: it is as old as its delivery. */
export function isExpired(delivery: KnownDelivery, world: Pick<AddressWorld, 'now' | 'tagLifeMs'>): boolean {
  return world.now() - delivery.createdAt > (world.tagLifeMs ?? TAG_LIFE_MS)
}
