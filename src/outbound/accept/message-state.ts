import type { DeliveryState } from '#model/delivery.ts'
import { type Store, statement } from '#store/store.ts'

/** A message as an account sees it now; undefined for one that is not its own. */
export interface MessageState {
  readonly headerMessageId: string
  readonly suppressed: readonly string[]
  readonly deliveries: readonly {
    readonly id: string
    readonly recipient: string
    readonly state: DeliveryState
    readonly attempts: number
  }[]
}

export async function messageState(
  store: Store,
  accountId: string,
  messageId: string,
): Promise<MessageState | undefined> {
  const message = await store.get(find, [accountId, messageId])
  if (!message) return undefined
  const deliveries = await store.all(deliveriesOf, [messageId])
  const suppressed: unknown = JSON.parse(message.suppressed_recipients)
  return {
    headerMessageId: message.header_message_id,
    suppressed: Array.isArray(suppressed) ? suppressed.map(String) : [],
    deliveries,
  }
}

const find = statement<{ header_message_id: string; suppressed_recipients: string }>(
  'accept.message',
  'select header_message_id, suppressed_recipients from message where account_id = $1 and id = $2',
)

const deliveriesOf = statement<{ id: string; recipient: string; state: DeliveryState; attempts: number }>(
  'accept.deliveries',
  'select id, recipient, state, attempts from delivery where message_id = $1 order by id',
)
