import type { Address } from '#model/address.ts'

/** An envelope recipient, with the JSON pointer that its sender knows it by. */
export interface Recipient {
  readonly address: Address
  readonly pointer: string
}
