import type { Address } from '#model/address.ts'

/** An envelope recipient, or whom a message is from, with the JSON pointer that its sender knows it by. */
export interface Recipient {
  readonly address: Address
  readonly pointer: string
}
