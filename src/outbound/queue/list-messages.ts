import type { Address } from '#model/address.ts'
import type { DeliveryState } from '#model/delivery.ts'
import { type Param, type Statement, type Store, statement } from '#store/store.ts'
import {
  type DeliveryView,
  type DeliveryViewRow,
  VIEW_COLUMNS,
  VIEW_JOINS,
  viewOf,
} from './list-deliveries.ts'
import { messageById } from './message-by-id.ts'

/** Which of an account's mail: what meets all of it. */
export interface MessageFilter {
  /** Compared without regard to the case of ASCII letters, as is the sender. */
  readonly recipient?: Address
  readonly sender?: Address
  readonly state?: DeliveryState
  readonly messageId?: string
  /** Times of the promise in ms, the first inclusive, the second not. */
  readonly since?: number
  readonly until?: number
}

/** Behind which delivery a page begins. */
export interface MailPosition {
  readonly createdAt: number
  readonly id: string
}

/** An account's mail, each recipient's delivery on its own, the newest first. Read along an index from where the page
 *  before ended. */
export async function listMessages(
  store: Store,
  accountId: string,
  { filter, limit, after }: { filter: MessageFilter; limit: number; after?: MailPosition | undefined },
): Promise<readonly DeliveryView[]> {
  const place = after ?? { createdAt: Number.MAX_SAFE_INTEGER, id: '' }
  const parts = partsOf(filter)
  const params = [accountId, limit, place.createdAt, place.id, ...parts.map(({ value }) => value)]
  return (await store.all(pageOf(parts), params)).map(viewOf)
}

interface Part {
  readonly comparison: string
  readonly value: Param
}

function partsOf(filter: MessageFilter): readonly Part[] {
  const { recipient, sender, state, messageId, since, until } = filter
  const all: readonly (readonly [comparison: string, value: Param | undefined])[] = [
    ['d.message_id =', messageId],
    // "C": ASCII alone, as the other engine does it.
    ['{fold}(d.recipient) =', recipient && foldAscii(recipient)],
    ['{fold}(m.sender) =', sender && foldAscii(sender)],
    ['d.state =', state],
    ['d.created_at >=', since],
    ['d.created_at <', until],
  ]
  return all.flatMap(([comparison, value]) => (value === undefined ? [] : [{ comparison, value }]))
}

function foldAscii(address: Address): string {
  return address.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
}

/** One statement for each set of filters, of which there are few. */
const pages = new Map<string, Statement<DeliveryViewRow>>()

/** $1 account, $2 limit, $3 and $4 the place; then the filters. */
function pageOf(parts: readonly Part[]): Statement<DeliveryViewRow> {
  const name = ['queue.mail-page', ...parts.map(({ comparison }) => comparison)].join(' ')
  let page = pages.get(name)
  if (!page) {
    const conditions = parts.map(({ comparison }, i) => `and ${comparison} $${i + 5}`)
    const sql = `select ${VIEW_COLUMNS} from delivery d ${VIEW_JOINS}
      where d.account_id = $1 and (d.created_at, d.id) < ($3, $4) ${conditions.join(' ')}
      order by d.created_at desc, d.id desc limit $2`
    page = statement<DeliveryViewRow>(name, {
      sqlite: sql.replaceAll(/\{fold\}\(([^)]+)\)/g, 'lower($1)'),
      postgres: sql.replaceAll(/\{fold\}\(([^)]+)\)/g, 'lower($1 collate "C")'),
    })
    pages.set(name, page)
  }
  return page
}

/** A message of an account, as its sender sees it. */
export interface MessageView {
  readonly id: string
  readonly headerMessageId: string
  readonly sender: Address | ''
  readonly subject: string
  readonly size: number
  readonly bodyId: string
  readonly previewEnabled: boolean
  readonly createdAt: number
}

/** Undefined for what the account has not, also where another one has it (promise 6). */
export async function messageOfAccount(
  store: Store,
  accountId: string,
  id: string,
): Promise<MessageView | undefined> {
  if ((await store.get(ownMessage, [id, accountId])) === undefined) return undefined
  return messageById(store, id)
}

const ownMessage = statement<{ id: string }>(
  'queue.own-message',
  'select id from message where id = $1 and account_id = $2',
)
