import type { Address } from '#model/address.ts'
import type { DeliveryState } from '#model/delivery.ts'
import type { QueuedMessage } from '#outbound/queue/claimed-delivery.ts'
import { messageById } from '#outbound/queue/message-by-id.ts'
import { type Store, statement } from '#store/store.ts'

/** A delivery as what comes back about it needs it. */
export interface KnownDelivery {
  readonly id: string
  readonly recipient: Address
  readonly state: DeliveryState
  readonly createdAt: number
  readonly message: QueuedMessage
}

interface DeliveryRow {
  readonly id: string
  readonly message_id: string
  readonly recipient: Address
  readonly state: DeliveryState
  readonly created_at: number
}

const COLUMNS = 'id, message_id, recipient, state, created_at'

// By an id that only we could have written into a tag: across accounts, and the row says whose it is.
const byId = statement<DeliveryRow>('feedback.delivery', `select ${COLUMNS} from delivery where id = $1`)

const onlyOneOf = statement<DeliveryRow>(
  'feedback.only-delivery',
  `select ${COLUMNS} from delivery where message_id = $1
     and not exists (select 1 from delivery as other where other.message_id = $1 and other.id <> delivery.id)`,
)

export async function deliveryById(store: Store, id: string): Promise<KnownDelivery | undefined> {
  return known(store, await store.get(byId, [id]))
}

/** The delivery of a message that has one; undefined where it has several. */
export async function onlyDeliveryOf(store: Store, messageId: string): Promise<KnownDelivery | undefined> {
  return known(store, await store.get(onlyOneOf, [messageId]))
}

async function known(store: Store, row: DeliveryRow | undefined): Promise<KnownDelivery | undefined> {
  return (
    row && {
      id: row.id,
      recipient: row.recipient,
      state: row.state,
      createdAt: row.created_at,
      message: await messageById(store, row.message_id),
    }
  )
}
