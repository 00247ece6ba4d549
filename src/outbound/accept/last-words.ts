import { type Store, statement } from '#store/store.ts'

export interface LastWord {
  readonly recipient: string
  /** A host's reply, or our own word for why (`Cause`). */
  readonly word: string
}

/** Recipients of whom nothing was said yet are not in it. */
export async function lastWords(
  store: Store,
  accountId: string,
  messageId: string,
): Promise<readonly LastWord[]> {
  return store.all(wordsOf, [accountId, messageId])
}

const wordsOf = statement<LastWord>(
  'accept.last-words',
  `select recipient, coalesce(last_reply, last_cause) as word from delivery
   where account_id = $1 and message_id = $2 and coalesce(last_reply, last_cause) is not null order by recipient`,
)
